"""How a robot of brax looks: its capsules and spheres, from the side or from above."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.viewer import Film, caption, font

WIDTH, HEIGHT = 480, 256  # pixels
FLOOR = 208  # pixels from the top
SKY, INK, BODY, EDGE = "#f2f6f9", "#22282e", "#3d6ea5", "#1f3a5a"
FINE = 2  # drawn so many times larger and then reduced, for smooth edges
CAPSULE, SPHERE = 3, 2  # MuJoCo's kinds of shapes


@dataclasses.dataclass(frozen=True, eq=False)
class BraxViewer:
    """Draws the shapes of a robot; from above: x to the right and y upwards, else z upwards."""

    link: np.ndarray  # [shapes], to which each belongs
    ends: np.ndarray  # [shapes, 2, 3], m, of its axis, in the link's frame
    radius: np.ndarray  # [shapes], m
    axes: tuple[str, ...]  # of the task
    metres: float  # that the picture shows from left to right
    from_above: bool
    steps_per_frame: int
    frames_per_second: float

    @classmethod
    def of(cls, robot: Any, axes: tuple[str, ...], from_above: bool) -> BraxViewer:
        """A viewer of the shapes in the system of `robot`."""
        model = robot.sys.mj_model
        has_form = np.isin(model.geom_type, (CAPSULE, SPHERE)) & (model.geom_bodyid > 0)
        shapes = np.flatnonzero(has_form)
        half = np.where(model.geom_type[shapes] == CAPSULE, model.geom_size[shapes, 1], 0.0)
        along = half[:, None, None] * np.array([[[0.0, 0.0, -1.0], [0.0, 0.0, 1.0]]])
        ends = model.geom_pos[shapes][:, None] + _rotated(along, model.geom_quat[shapes][:, None])
        steps_per_frame = max(1, round(0.04 / float(robot.dt)))
        return cls(
            link=model.geom_bodyid[shapes] - 1,
            ends=np.asarray(ends, np.float32),
            radius=model.geom_size[shapes, 0],
            axes=axes,
            metres=0.8 if from_above else 5.0,
            from_above=from_above,
            steps_per_frame=steps_per_frame,
            frames_per_second=1 / (steps_per_frame * float(robot.dt)),
        )

    def look(self, level: jax.Array, state: Any, obs: jax.Array) -> jax.Array:
        """The ends of every shape in the world, m, [shapes, 2, 3]."""
        place, turn = state.x.pos[self.link], state.x.rot[self.link]
        return place[:, None] + _rotated(jnp.asarray(self.ends), turn[:, None])

    def picture(self, film: Film, frame: int) -> Any:
        """The robot above its floor, and what is to be said."""
        from PIL import Image, ImageDraw

        image = Image.new("RGB", (FINE * WIDTH, FINE * HEIGHT), SKY)
        pen = ImageDraw.Draw(image)
        scale = FINE * WIDTH / self.metres
        ends, middle, ground = self._on_paper(film.looks[frame])
        origin = np.array([FINE * WIDTH / 2 - scale * middle, ground])
        if not self.from_above:
            pen.line((0, ground, FINE * WIDTH, ground), fill=INK, width=FINE)
            _marks(pen, scale, middle, ground)
        for shape in np.argsort(ends[:, :, 2].mean(axis=1)):  # what is near hides what is far
            points = origin + scale * ends[shape, :, :2] * np.array([1, -1])
            for grown, colour in ((FINE, EDGE), (0, BODY)):
                _capsule(pen, points, scale * float(self.radius[shape]) + grown, colour)
        small = image.reduce(FINE)
        words = ImageDraw.Draw(small)
        words.text((12, 4), caption(film, frame), fill=INK, font=font(18))
        task = ", ".join(f"{name} {value}" for name, value in film.task.items())
        words.text((12, 27), task, fill=INK, font=font(13))
        return small

    def _on_paper(self, ends: np.ndarray) -> tuple[np.ndarray, float, float]:
        """Ends as (right, up, towards the eye), the middle of the picture, m, and its zero."""
        if self.from_above:
            return ends, 0.0, FINE * HEIGHT / 2
        return (
            ends[:, :, [0, 2, 1]] * np.array([1, 1, -1]),
            float(ends[0, :, 0].mean()),
            FINE * FLOOR,
        )


def _marks(pen: Any, scale: float, middle: float, ground: float) -> None:
    """A mark every metre of the floor, with its place."""
    for metre in range(int(middle) - 3, int(middle) + 5):
        x = FINE * WIDTH / 2 + scale * (metre - middle)
        pen.line((x, ground, x, ground + 5 * FINE), fill=INK, width=FINE)
        place = (x, ground + 8 * FINE)
        pen.text(place, f"{metre} m", fill=INK, font=font(11 * FINE), anchor="mt")


def _capsule(pen: Any, points: np.ndarray, radius: float, colour: str) -> None:
    pen.line([tuple(point) for point in points], fill=colour, width=round(2 * radius))
    for x, y in points:
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _rotated(points: Any, turn: Any) -> Any:
    """`points` [..., 3] turned by quaternions [..., 4] (real part first)."""
    real, axis = turn[..., :1], turn[..., 1:]
    cross = 2 * jnp.cross(axis, points)
    return points + real * cross + jnp.cross(axis, cross)
