"""Made-up episodes to draw: a walker of boxes that glides over any ground."""

import numpy as np

from jaxcurriculum.envs.walker import drawing
from jaxcurriculum.envs.walker.drawing import FRAMES_PER_SECOND, Episode
from jaxcurriculum.viewer import Film

FLAT = np.array([[0.0, 3.0], [100.0, 3.0]])
HEXAGON = np.array(
    [[np.cos(angle), np.sin(angle)] for angle in np.arange(6) * np.pi / 3]
)  # about (0, 0), radius 1 m


def boxes(x, y, angle, width, height):
    """A turning box in each frame, [frames, 4, 2], about x, y [frames]."""
    corners = np.array([[width, height], [-width, height], [-width, -height], [width, -height]]) / 2
    turn = np.stack(
        [
            np.stack([np.cos(angle), -np.sin(angle)], -1),
            np.stack([np.sin(angle), np.cos(angle)], -1),
        ],
        -2,
    )
    return np.stack([x, y], -1)[:, None] + corners @ np.swapaxes(turn, -1, -2)


def glide(
    num_frames=20,
    num_legs=2,
    ground=FLAT,
    obstacles=(),
    speed=4.0,
    height=2.5,
    solved=True,
    name="stump height",
):
    """From x = 5 m on at `speed` m/s, `height` m above the ground, swinging its legs; the
    return grows by 1 a frame.
    """
    seconds = np.arange(1, num_frames + 1) / FRAMES_PER_SECOND
    x = 5 + speed * seconds
    y = np.interp(x, *ground.T) + height
    walker = [boxes(x, y, 0.1 * np.sin(seconds), 2.0, 0.6)]
    for leg in range(num_legs):
        hip = x + 0.8 * (leg // 2) - 0.4
        walker += [
            boxes(hip, y - 0.8 - part, np.sin(3 * seconds + leg), 0.25, 1.0) for part in range(2)
        ]
    return Episode(
        walker=walker,
        origin=np.stack([x, y], 1),
        lidar=np.full((num_frames, 10), 0.5),
        returns=np.arange(1.0, num_frames + 1),
        seconds=seconds,
        ground=ground,
        obstacles=list(obstacles),
        finish=float(x[-1]),
        task={name: "1.50 steps", "track": "0"},
        solved=solved,
    )


class GlideViewer:
    """Draws films of `gliding`."""

    steps_per_frame, frames_per_second = 2, 25.0

    def picture(self, film, frame):
        return drawing.draw_frame(film.level, frame)

    def page(self, title, films):
        return f"{title}: " + " ".join(f"solved:{film.solved}" for film in films)


def gliding(*arguments, **others):
    """`glide` as a film."""
    episode = glide(*arguments, **others)
    return Film(
        level=episode,
        looks=(),
        returns=episode.returns,
        seconds=episode.seconds,
        task=episode.task,
        solved=episode.solved,
    )
