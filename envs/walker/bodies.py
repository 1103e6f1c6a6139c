"""The walkers: one hull and legs of two links. Published ones with their numbers, and any other
described in one record.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.envs.walker.hulls import check_convex, counter_clockwise, polygon_mass
from jaxcurriculum.envs.walker.starts import MOST_ANGLE, MOST_LEGS, STARTS, Start, StartArrays
from jaxcurriculum.fields import as_tuples, checked_array

PIXEL = 1 / 30  # m: published sizes are in pixels
# Bounds within which float32 and the solver hold what follows from the numbers.
DENSITY = (0.01, 500.0)  # kg/m^2
SPEED = (0.01, 15.0)  # rad/s, of motors
TORQUE = (1e-3, 1e4)  # N m
FRICTION = (0.0, 10.0)
COST = (0.0, 1000.0)  # reward a step and motor
LEAST_RANGE = 1e-3  # rad: between a joint's limits
# m: of a link's sides; no part of a body is further from the hull's origin than the second
SIZE = (0.01, 10.0)
STANCE = (0.4, -0.9)  # rad: hips and knees of a walker that starts at rest


@dataclasses.dataclass(frozen=True, kw_only=True)
class Body:
    """A planar walker. Lengths in m, angles in rad.

    The hull's polygon is convex, its corners are measured from the hull's origin.

    Each leg is an upper and a lower link, boxes that hang from a joint at the middle of their top
    side. Pairs of numbers are those of (hip, knee) or of (upper, lower); all legs share them.
    Numbers are kept as floats, sequences and arrays of them as tuples.

    Raises:
      ValueError: when the hull is not convex or does not hold its origin, there is no leg or more
        than 8, a number lies beyond its bounds, or a start has other legs.

    >>> hull = ((-0.5, -0.2), (0.5, -0.2), (0.5, 0.2), (-0.5, 0.2))
    >>> body = Body(name="hopper", hull=hull, hips=((0.0, -0.2),), link_lengths=(0.9, 0.9),
    ...             link_widths=(0.25, 0.2))
    >>> body.num_joints
    2
    """

    name: str
    hull: tuple[tuple[float, float], ...]  # m, three to eight corners in turn, either way round
    hips: tuple[tuple[float, float], ...]  # m, from the hull's origin, one a leg
    link_lengths: tuple[float, float]  # m
    link_widths: tuple[float, float]  # m
    # rad, of each leg against the hull where its hip reads 0; by default 0
    rest_angles: tuple[float, ...] = ()
    hull_density: float = 5.0  # kg/m^2
    link_density: float = 1.0  # kg/m^2
    link_friction: float = 0.2  # Box2D's default
    joint_lower: tuple[float, float] = (-0.8, -1.6)  # rad
    joint_upper: tuple[float, float] = (1.1, -0.1)  # rad
    motor_speeds: tuple[float, float] = (4.0, 6.0)  # rad/s
    motor_torques: tuple[float, float] = (80.0, 80.0)  # N m, largest
    torque_cost: float = 0.00035 * 80  # reward a step and motor at full torque
    start: Start | None = None  # on flat ground; by default at rest in `STANCE`, feet on the ground
    start_on_pieces: Start | None = None  # on ground of pieces; by default as on flat ground

    def __post_init__(self):
        if not isinstance(self.name, str) or not self.name:
            raise ValueError(f"name must be a word, got {self.name!r}.")
        place = -SIZE[1], SIZE[1]
        angle = -MOST_ANGLE, MOST_ANGLE
        rule = "three to eight corners (x, y)"
        corners = self._keep("hull", rule, (range(3, 9), (2,)), *place)
        check_convex(corners, self.hull)
        rule = f"a point (x, y) for each of 1 to {MOST_LEGS} legs"
        lengths = range(1, MOST_LEGS + 1), (2,)
        hips = self._keep("hips", rule, lengths, *place)
        legs = len(hips)
        self._keep("rest_angles", f"empty or one angle a leg, {legs}", ((0, legs),), *angle)
        self._keep_pair("link_lengths", SIZE)
        self._keep_pair("link_widths", SIZE)
        self._keep_pair("motor_speeds", SPEED)
        self._keep_pair("motor_torques", TORQUE)
        self._keep_number("hull_density", DENSITY)
        self._keep_number("link_density", DENSITY)
        self._keep_number("link_friction", FRICTION)
        self._keep_number("torque_cost", COST)
        lower = self._keep_pair("joint_lower", angle)
        upper = self._keep_pair("joint_upper", angle)
        if not (lower + LEAST_RANGE <= upper).all():
            raise ValueError(
                f"joint_lower must lie below joint_upper, got {self.joint_lower} and"
                f" {self.joint_upper}."
            )
        for name in ("start", "start_on_pieces"):
            start = getattr(self, name)
            if start is None:
                continue
            if not isinstance(start, Start) or start.num_legs != legs:
                raise ValueError(f"{name} must be None or a Start of {legs} legs, got {start!r}.")

    def _keep(self, name: str, rule: str, lengths: tuple, least: float, most: float) -> np.ndarray:
        """Check a field and keep it as floats."""
        array = checked_array(name, getattr(self, name), rule, lengths, least, most)
        object.__setattr__(self, name, as_tuples(array))  # the record is frozen once it is made
        return array

    def _keep_pair(self, name: str, bounds: tuple[float, float]) -> np.ndarray:
        return self._keep(name, "two numbers", ((2,),), *bounds)

    def _keep_number(self, name: str, bounds: tuple[float, float]) -> np.ndarray:
        return self._keep(name, "a number", (), *bounds)

    @property
    def num_legs(self) -> int:
        return len(self.hips)

    @property
    def num_joints(self) -> int:
        return 2 * self.num_legs


@dataclasses.dataclass(frozen=True)
class Span:
    """How far the parts of the largest walker of a batch extend, m."""

    link: float  # the longer diagonal of a link
    hull: float  # from the hull's centre of mass to its farthest corner
    reach: float  # from the hull's centre of mass to the farthest foot


class Anatomy(struct.PyTreeNode):
    """The numbers of a walker that physics reads: a last axis of one for a fixed body, of the
    batch where bodies differ.
    """

    body: Body = struct.field(pytree_node=False)  # what cannot differ in a batch
    span: Span = struct.field(pytree_node=False)
    hull: Any  # [2, corners, N], m, counter-clockwise from the centre of mass
    centre: Any  # [2, N], m: the hull's centre of mass from its origin
    hull_mass: Any  # [N], kg
    hull_inertia: Any  # [N], kg m^2
    hips: Any  # [2, legs, N], m, from the centre of mass
    length: Any  # [2 (upper, lower), 1, N], m
    width: Any  # [2, 1, N], m
    mass: Any  # [2, 1, N], kg
    inertia: Any  # [2, 1, N], kg m^2
    torque: Any  # [2 (hip, knee), 1, N], N m
    start: StartArrays | None  # on flat ground; None: at rest in `STANCE`
    start_on_pieces: StartArrays | None  # on ground of pieces

    @property
    def rest_angles(self) -> np.ndarray:
        """[legs, 1], rad."""
        angles = self.body.rest_angles or [0.0] * self.body.num_legs
        return np.array(angles, np.float32)[:, None]


# by its name, as a record or, inside a compiled function, as arrays
AnyBody = str | Body | Anatomy
SIZES = ("hull_length", "hull_height", "upper_length", "lower_length", "leg_width", "motor_torque")


def anatomy(
    body: Body, sizes: Mapping[str, Any] | None = None, span: Span | None = None
) -> Anatomy:
    """The numbers of `body`, whose sizes are multiplied by the factors `sizes` (of `SIZES`), as
    arrays without the last axis. With factors it begins at rest.

    Without factors they are NumPy's, so that a compiled program holds them as constants. Where
    factors are traced, `span` is the largest walker's.

    >>> float(anatomy(BODIES["default"]).hull_mass).__round__(4)
    5.4222
    """
    sizes = sizes or {}
    is_traced = any(isinstance(value, jax.Array) for value in sizes.values())
    xp: ModuleType = jnp if is_traced else np
    factor = {name: xp.asarray(sizes.get(name, 1.0)) for name in SIZES}
    stretch = xp.stack([factor["hull_length"], factor["hull_height"]])[None]
    hull = counter_clockwise(body.hull) * stretch
    hips = np.array(body.hips) * stretch
    hull_mass, centre, hull_inertia = polygon_mass(hull, body.hull_density, xp)
    lengthening = xp.stack([factor["upper_length"], factor["lower_length"]])
    length = np.array(body.link_lengths) * lengthening
    width = np.array(body.link_widths) * factor["leg_width"]
    mass = body.link_density * length * width
    inertia = mass * (width**2 + length**2) / 12
    torque = np.array(body.motor_torques) * factor["motor_torque"]
    start = None if sizes else body.start
    start_on_pieces = None if sizes else body.start_on_pieces or body.start
    numbers = Anatomy(
        body=body,
        span=span or Span(0.0, 0.0, 0.0),
        hull=(hull - centre[None]).T,
        centre=centre,
        hull_mass=hull_mass,
        hull_inertia=hull_inertia,
        hips=(hips - centre[None]).T,
        length=length[:, None],
        width=width[:, None],
        mass=mass[:, None],
        inertia=inertia[:, None],
        torque=torque[:, None],
        start=start and start.arrays(),
        start_on_pieces=start_on_pieces and start_on_pieces.arrays(),
    )
    numbers = jax.tree.map(lambda x: xp.asarray(x, xp.float32), numbers)
    return numbers if span else numbers.replace(span=_span(numbers))


def _span(numbers: Anatomy) -> Span:
    width = numbers.width.max()
    link = np.hypot(numbers.length.max(), width)
    foot = np.hypot(numbers.length.sum(), width)
    hull = np.linalg.norm(numbers.hull, axis=0).max()
    hips = np.linalg.norm(numbers.hips, axis=0).max()
    return Span(link=float(link), hull=float(hull), reach=float(hips + foot))


def _pixels(*points: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    return tuple((x * PIXEL, y * PIXEL) for x, y in points)


# Box2D's joints read 0 in the pose in which they were created, and gymnasium creates the legs
# 0.05 rad to either side.
_BIPED: dict[str, Any] = dict(
    hull=_pixels((34, 1), (6, 9), (-30, 9), (-30, -8), (34, -8)),
    hips=((0.0, -8 * PIXEL),) * 2,
    rest_angles=(-0.05, 0.05),
    link_widths=(8 * PIXEL, 0.8 * 8 * PIXEL),
)


def _biped(name: str, link_length: float) -> Body:
    lengths = link_length, link_length
    return Body(name=name, link_lengths=lengths, **_BIPED, **STARTS[name])


BODIES = {
    "default": _biped("default", 34 * PIXEL),
    "short": _biped("short", 17 * PIXEL),
    "long": _biped("long", 51 * PIXEL),
    "quadruped": Body(
        name="quadruped",
        hull=_pixels((50, 5), (6, 13), (-46, 13), (-46, -12), (50, -12)),
        hips=tuple((x, -8 * PIXEL) for x in (-1.2, -1.2, 0.85, 0.85)),
        rest_angles=(-0.05, 0.05) * 2,
        link_lengths=(51 * PIXEL, 51 * PIXEL),
        link_widths=(10 * PIXEL, 0.8 * 10 * PIXEL),
        motor_torques=(300.0, 300.0),
        torque_cost=0.00035 / 8 * 300,
        **STARTS["quadruped"],
    ),
}


def get_body(body: str | Body) -> Body:
    """The body called `body`, or `body` itself where it is one.

    Raises:
      ValueError: when there is none of that name, naming those that exist.
    """
    if isinstance(body, Body):
        return body
    if not isinstance(body, str) or body not in BODIES:
        raise ValueError(f"body must be one of {', '.join(BODIES)} or a Body, got {body!r}.")
    return BODIES[body]
