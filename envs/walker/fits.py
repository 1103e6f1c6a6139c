"""Whether a walker can begin on the start pad, and whether its parts are of a kind that float32 and Box2D's solver can hold together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jaxcurriculum.envs.walker.bodies import SIZE, STANCE, Anatomy, Body, anatomy
from jaxcurriculum.envs.walker.starts import Start
from jaxcurriculum.envs.walker.terrain import PAD, START_X

MOST_REACH = 20.0  # m: from the hull to a foot
LEAST_HULL = 1e-4  # m^2
MOST_RATIO = 500.0  # of the hull's mass to a link's: with more, impulses do not converge and joints come apart
DEEP = 0.05  # m: how far below the ground a start may be
PAST = 0.1  # rad: how far past a joint's limit a start may be


def check_fits(body: Body, sizes: Mapping[str, tuple[float, float]]) -> Anatomy:
    """The largest walker of `body` whose sizes are multiplied by factors between these bounds.

    Raises:
      ValueError: when a part of the smallest is too small or the hull too heavy for its links, when the largest does not fit on the
        start pad or stands on its hull, or when a start of the body's lies in the ground, off the pad or past a limit.
    """
    low, high = ({name: bounds[end] for name, bounds in sizes.items()} for end in range(2))
    smallest, largest = anatomy(body, low), anatomy(body, high)
    top_heavy = anatomy(body, {name: (high if name.startswith("hull") else low)[name] for name in sizes})
    _check_sizes(smallest, top_heavy)
    _check_stance(largest, top_heavy)
    for name in ("start", "start_on_pieces"):
        if (start := getattr(body, name)) is not None:
            _check_start(name, start, anatomy(body))
    return largest


def _check_sizes(smallest: Anatomy, top_heavy: Anatomy) -> None:
    body, side = smallest.body, min(smallest.length.min(), smallest.width.min())
    area, ratio = smallest.hull_mass / body.hull_density, top_heavy.hull_mass / top_heavy.mass.min()
    for what, rule, value, holds in (
        ("links", f"at least {SIZE[0]:g} m long and wide", f"{side:.3g} m", side > 0.999 * SIZE[0]),
        ("a hull", f"of at least {LEAST_HULL:g} m^2", f"{area:.3g} m^2", area >= LEAST_HULL),
        ("a hull", f"at most {MOST_RATIO:g} times as heavy as any link", f"{ratio:.5g} times", ratio <= MOST_RATIO),
    ):
        if not holds:
            raise ValueError(f"body {body.name!r} must have {what} {rule}, whatever its sizes, got {value}.")


def _check_stance(largest: Anatomy, top_heavy: Anatomy) -> None:
    stance = np.repeat(np.clip(STANCE, largest.body.joint_lower, largest.body.joint_upper)[:, None], largest.body.num_legs, axis=1)
    extent = max(np.abs(points[0] + largest.centre[0]).max() for points in _points(largest, 0.0, stance))
    if extent > START_X or largest.span.reach > MOST_REACH:
        raise ValueError(
            f"body {largest.body.name!r} with the largest of its sizes must extend at most {START_X:.2f} m before and behind its origin"
            f" where it stands, and {MOST_REACH:g} m from hull to foot, got {extent:.2f} m and {largest.span.reach:.2f} m."
        )
    hull, links = _points(top_heavy, 0.0, stance)
    if hull[1].min() <= links[1].min():
        raise ValueError(
            f"body {largest.body.name!r} must stand on its feet at hips {STANCE[0]} and knees {STANCE[1]} rad (or their limits),"
            f" whatever its sizes, but its hull is {links[1].min() - hull[1].min():.3g} m lower."
        )


def _check_start(name: str, start: Start, walker: Anatomy) -> None:
    joints = np.array(start.joints)
    lower, upper = (np.array(limits)[:, None] for limits in (walker.body.joint_lower, walker.body.joint_upper))
    x, y = np.concatenate(_points(walker, start.pose[2], joints), axis=1) + np.array(start.pose[:2])[:, None]
    past = np.maximum(lower - joints, joints - upper).max()
    if not (x.min() >= 0 and x.max() <= PAD and y.min() >= -DEEP and past <= PAST):
        raise ValueError(
            f"{name} of body {walker.body.name!r} must be above the ground, between x = 0 and {PAD:.2f} m and within the joints' limits,"
            f" but its lowest point is at {y.min():.3g} m, it reaches from {x.min():.3g} to {x.max():.3g} m, and a joint is"
            f" {max(past, 0.0):.3g} rad past its limit; with start=None and start_on_pieces=None the body begins at rest."
        )


def _points(walker: Anatomy, hull_angle: float, joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners of the hull [2, corners] and of all links [2, corners], m from the hull's centre of mass, with joints [2, legs]."""
    sin, cos = np.sin(hull_angle), np.cos(hull_angle)
    hull, top = (np.array([[cos, -sin], [sin, cos]]) @ points for points in (walker.hull, walker.hips))
    angle, corners = hull_angle + walker.rest_angles[:, 0], []
    for part in range(2):
        angle = angle + joints[part]
        axis = np.stack([np.sin(angle), -np.cos(angle)])
        side = walker.width[part] / 2 * np.stack([-axis[1], axis[0]])
        bottom = top + walker.length[part] * axis
        corners += [top + side, top - side, bottom + side, bottom - side]
        top = bottom
    return hull, np.concatenate(corners, axis=1)
