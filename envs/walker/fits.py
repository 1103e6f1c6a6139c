"""Whether a walker can begin on the start pad, and whether its parts are of a kind that float32
and Box2D's solver can hold together.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jaxcurriculum.envs.walker.bodies import SIZE, STANCE, Anatomy, Body, anatomy
from jaxcurriculum.envs.walker.engine.terrain import PAD, START_X
from jaxcurriculum.envs.walker.starts import Start

MOST_REACH = 20.0  # m: from the hull to a foot
LEAST_HULL = 1e-4  # m^2
# of one part's mass to another's: with more, impulses do not converge and joints come apart
MOST_RATIO = 500.0
MOST_LIFT = 20.0  # times its own weight that a motor may lift at the length of a leg
# hulls: how far hips may be from the hull's centre, in distances of its farthest corner
MOST_ARM = 2.0
DEEP = 0.05  # m: how far below the ground a start may be
PAST = 0.1  # rad: how far past a joint's limit a start may be


def check_fits(body: Body, sizes: Mapping[str, tuple[float, float]]) -> Anatomy:
    """The largest walker of `body` whose sizes are multiplied by factors between these bounds.

    Raises:
      ValueError: when a part of the smallest is too small, one part too heavy for another, a motor
        too strong or a hip too far out; when a walker that begins in `STANCE` does not fit on the
        start pad or stands on its hull; or when a start of the body's lies in the ground, off the
        pad or past a limit.
    """
    low, high = ({name: bounds[end] for name, bounds in sizes.items()} for end in range(2))
    smallest, largest = anatomy(body, low), anatomy(body, high)
    _check_parts(smallest, largest)
    if sizes or body.start is None:
        top_heavy = anatomy(
            body, {name: (high if name.startswith("hull") else low)[name] for name in sizes}
        )
        _check_stance((largest, smallest, top_heavy))
    for name in ("start", "start_on_pieces"):
        if not sizes and (start := getattr(body, name)) is not None:
            _check_start(name, start, largest)
    return largest


@np.errstate(all="ignore")  # a hull may weigh nothing, and is refused
def _check_parts(smallest: Anatomy, largest: Anatomy) -> None:
    body, side, reach = (
        smallest.body,
        min(smallest.length.min(), smallest.width.min()),
        largest.span.reach,
    )
    area = smallest.hull_mass / body.hull_density
    ratio = max(largest.hull_mass, largest.mass.max()) / min(
        smallest.hull_mass, smallest.mass.min()
    )
    weight = 9.81 * (smallest.hull_mass + body.num_legs * smallest.mass.sum())
    lift = largest.torque.max() / (weight * smallest.length.sum())
    arm = np.hypot(*largest.hips).max() / np.hypot(*largest.hull).max()
    for rule, value, holds in (
        (f"links at least {SIZE[0]:g} m long and wide", f"{side:.3g} m", side > 0.999 * SIZE[0]),
        (f"a hull of at least {LEAST_HULL:g} m^2", f"{area:.3g} m^2", area >= LEAST_HULL),
        (
            f"no part more than {MOST_RATIO:g} times as heavy as another",
            f"{ratio:.5g}",
            ratio <= MOST_RATIO,
        ),
        (
            f"motors that lift at most {MOST_LIFT:g} times its weight at a leg's length",
            f"{lift:.5g}",
            lift <= MOST_LIFT,
        ),
        (
            f"hips at most {MOST_ARM:g} times as far from the hull's centre as its corners",
            f"{arm:.3g}",
            arm <= MOST_ARM,
        ),
        (f"at most {MOST_REACH:g} m from hull to foot", f"{reach:.2f} m", reach <= MOST_REACH),
    ):
        if not holds:
            raise ValueError(
                f"body {body.name!r} must have {rule}, whatever its sizes, got {value}."
            )


def _check_stance(walkers: tuple[Anatomy, ...]) -> None:
    for walker in walkers:
        body = walker.body
        stance = np.repeat(
            np.clip(STANCE, body.joint_lower, body.joint_upper)[:, None], body.num_legs, axis=1
        )
        hull, links = _points(walker, 0.0, stance)
        extent = np.abs(np.concatenate([hull[0], links[0]]) + walker.centre[0]).max()
        if extent > START_X:
            raise ValueError(
                f"body {body.name!r} must extend at most {START_X:.2f} m before and behind its"
                f" origin where it stands, whatever its sizes, got {extent:.2f} m."
            )
        if hull[1].min() <= links[1].min():
            raise ValueError(
                f"body {body.name!r} must stand on its feet at hips {STANCE[0]} and knees"
                f" {STANCE[1]} rad (or their limits), whatever its sizes, but its hull is"
                f" {links[1].min() - hull[1].min():.3g} m lower."
            )


def _check_start(name: str, start: Start, walker: Anatomy) -> None:
    joints = np.array(start.joints)
    lower, upper = (
        np.array(limits)[:, None] for limits in (walker.body.joint_lower, walker.body.joint_upper)
    )
    x, y = (
        np.concatenate(_points(walker, start.pose[2], joints), axis=1)
        + np.array(start.pose[:2])[:, None]
    )
    past = np.maximum(lower - joints, joints - upper).max()
    if not (x.min() >= 0 and x.max() <= PAD and y.min() >= -DEEP and past <= PAST):
        raise ValueError(
            f"{name} of body {walker.body.name!r} must be above the ground, between x = 0 and"
            f" {PAD:.2f} m and within the joints' limits, but its lowest point is at {y.min():.3g}"
            f" m, it reaches from {x.min():.3g} to {x.max():.3g} m, and a joint is"
            f" {max(past, 0.0):.3g} rad past its limit; with start=None and start_on_pieces=None"
            " the body begins at rest."
        )


def _points(
    walker: Anatomy, hull_angle: float, joints: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Corners of the hull [2, corners] and of all links [2, corners], m from the hull's centre of
    mass, with joints [2, legs].

    In NumPy, as `kinematics.outline` on a device would take 2 s to compile where an environment is
    made.
    """
    sin, cos = np.sin(hull_angle), np.cos(hull_angle)
    hull, top = (
        np.array([[cos, -sin], [sin, cos]]) @ points for points in (walker.hull, walker.hips)
    )
    angle, corners = hull_angle + walker.rest_angles[:, 0], []
    for part in range(2):
        angle = angle + joints[part]
        axis = np.stack([np.sin(angle), -np.cos(angle)])
        side = walker.width[part] / 2 * np.stack([-axis[1], axis[0]])
        bottom = top + walker.length[part] * axis
        corners += [top + side, top - side, bottom + side, bottom - side]
        top = bottom
    return hull, np.concatenate(corners, axis=1)
