"""The walkers: one hull and legs of two links, with the numbers of the published BipedalWalker and its short-legged variant."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np

PIXEL = 1 / 30  # m: published sizes are in pixels


def polygon_mass(vertices: np.ndarray, density: float) -> tuple[float, np.ndarray, float]:
    """Mass [kg], centre of mass [2] and moment of inertia about it [kg m^2] of a polygon [vertices, 2] (counter-clockwise)."""
    following = np.roll(vertices, -1, axis=0)
    cross = vertices[:, 0] * following[:, 1] - following[:, 0] * vertices[:, 1]
    area = cross.sum() / 2
    centre = ((vertices + following) * cross[:, None]).sum(0) / (6 * area)
    second = ((vertices**2 + vertices * following + following**2).sum(1) * cross).sum() / 12
    return density * area, centre, density * (second - area * (centre**2).sum())


@dataclasses.dataclass(frozen=True, kw_only=True)
class Body:
    """A planar walker. Lengths in m, angles in rad; polygons are given from the hull's origin, counter-clockwise.

    Each leg is an upper link and a narrower lower one, both boxes that hang from a joint at the middle of their top side.
    """

    name: str
    hull: tuple[tuple[float, float], ...]  # m, convex
    hips: tuple[tuple[float, float], ...]  # m, from the hull's origin, one a leg
    rest_angles: tuple[float, ...]  # rad, of each leg against the hull where its hip reads 0
    link_length: float  # m, of upper and lower links
    link_widths: tuple[float, float]  # m, of upper and lower links
    hull_density: float = 5.0  # kg/m^2
    link_density: float = 1.0  # kg/m^2
    link_friction: float = 0.2  # Box2D's default
    joint_lower: tuple[float, float] = (-0.8, -1.6)  # rad, hip and knee
    joint_upper: tuple[float, float] = (1.1, -0.1)  # rad, hip and knee
    motor_speed: tuple[float, float] = (4.0, 6.0)  # rad/s, hip and knee
    motor_torque: float = 80.0  # N m, largest
    torque_cost: float = 0.00035 * 80  # reward a step and motor at full torque
    start_pose: tuple[float, float, float]  # m, m, rad: the hull's centre of mass (height above the ground) and angle
    start_joints: tuple[tuple[float, ...], tuple[float, ...]]  # rad, hips then knees
    start_velocity: tuple[tuple[float, ...], ...]  # vx, vy (m/s), rate (rad/s): hull, then upper and lower, leg by leg

    @property
    def num_legs(self) -> int:
        return len(self.hips)

    @property
    def num_joints(self) -> int:
        return 2 * self.num_legs

    @functools.cached_property
    def hull_mass(self) -> tuple[float, np.ndarray, float]:
        """Mass [kg], centre of mass [2] from the origin [m], moment of inertia [kg m^2]."""
        return polygon_mass(np.array(self.hull), self.hull_density)

    @functools.cached_property
    def link_mass(self) -> np.ndarray:
        """Mass of the upper and the lower link, [2], kg."""
        return self.link_density * self.link_length * np.array(self.link_widths)

    @functools.cached_property
    def link_inertia(self) -> np.ndarray:
        """Moment of inertia of both links about their centres, [2], kg m^2."""
        return self.link_mass * (np.array(self.link_widths) ** 2 + self.link_length**2) / 12


_HULL = tuple((x * PIXEL, y * PIXEL) for x, y in ((34, 1), (6, 9), (-30, 9), (-30, -8), (34, -8)))
# Box2D's joints read 0 in the pose in which they were created, and gymnasium creates the legs 0.05 rad to either side.
_BIPED: dict[str, Any] = dict(
    hull=_HULL, hips=((0.0, -8 * PIXEL),) * 2, rest_angles=(-0.05, 0.05), link_widths=(8 * PIXEL, 0.8 * 8 * PIXEL)
)

# The start of an episode is what Box2D 2.3.10 holds after gymnasium's `reset` and one more step with zero action, without the
# initial push: `reset` creates the legs 16 pixels above where their joints want them, which reduced coordinates cannot hold.
# tests/envs/walker/test_box2d.py measures these numbers again.
BODIES = {
    "default": Body(
        name="default",
        **_BIPED,
        link_length=34 * PIXEL,
        start_pose=(4.627994, 2.393526, -0.005232),
        start_joints=((0.435761, 0.338511), (-0.885276, -0.883692)),
        start_velocity=(
            (-0.030252, 0.119783, 0.136977, 0.129594, 0.146454),
            (-0.015901, -0.008231, 0.012326, -0.002284, 0.018226),
            (0.000208, 0.265088, -0.234948, 0.283008, -0.253389),
        ),
    ),
    "short": Body(
        name="short",
        **_BIPED,
        link_length=17 * PIXEL,
        start_pose=(4.638920, 1.171794, -0.002393),
        start_joints=((0.735125, 0.439676), (-1.526930, -0.863738)),
        start_velocity=(
            (-0.035870, 0.625351, 0.679844, 0.314237, 0.353772),
            (-0.242629, -0.145313, 0.091316, -0.142356, 0.038259),
            (-0.016775, 2.374655, -2.210881, 1.300549, -1.147619),
        ),
    ),
}


def get_body(name: str) -> Body:
    """The body called `name`.

    Raises:
      ValueError: when there is none, naming those that exist.
    """
    if name not in BODIES:
        raise ValueError(f"body must be one of {', '.join(sorted(BODIES))}, got {name!r}.")
    return BODIES[name]
