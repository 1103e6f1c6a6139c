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
# of one part's mass to another's: with more, impulses do not converge and joints break up
MOST_RATIO = 500.0
MOST_LIFT = 20.0  # times its own weight that a motor may lift at the length of a leg
# hulls: how far hips may be from the hull's centre, in distances of its farthest corner
MOST_ARM = 2.0
DEEP = 0.05  # m: how far below the ground a start may be
PAST = 0.1  # rad: how far past a joint's limit a start may be


def check_feasible(body: Body, sizes: Mapping[str, tuple[float, float]]) -> Anatomy:
    """The largest walker of `body` whose sizes are multiplied by factors between these bounds.

    Raises:
      ValueError: when a part of the smallest is too small, one part too heavy for another, a motor
        too strong or a hip too far out; when a walker that begins in `STANCE` does not fit on the
        start pad or stands on its hull; or when a start of the body's lies in the ground, off the
        pad or past a limit.
    """
    low = {name: least for name, (least, _) in sizes.items()}
    high = {name: most for name, (_, most) in sizes.items()}
    smallest, largest = anatomy(body, low), anatomy(body, high)
    _check_parts(smallest, largest)
    if sizes or body.start is None:
        hull_high = {name: high[name] for name in sizes if name.startswith("hull")}
        _check_stance((largest, smallest, anatomy(body, low | hull_high)))
    if not sizes:
        starts = {"start": body.start, "start_on_pieces": body.start_on_pieces}
        for name, start in starts.items():
            if start is not None:
                _check_start(name, start, largest)
    return largest


@np.errstate(all="ignore")  # a hull may weigh nothing, and is refused
def _check_parts(smallest: Anatomy, largest: Anatomy) -> None:
    body, reach = smallest.body, largest.span.reach
    length, width = smallest.length, smallest.width
    side = min(length.min(), width.min())
    area = smallest.hull_mass / body.hull_density
    heaviest = max(largest.hull_mass, largest.mass.max())
    ratio = heaviest / min(smallest.hull_mass, smallest.mass.min())
    mass = smallest.hull_mass + body.num_legs * smallest.mass.sum()
    lift = largest.torque.max() / (9.81 * mass * length.sum())
    farthest_corner = np.hypot(*largest.hull).max()
    arm = np.hypot(*largest.hips).max() / farthest_corner

    def check(holds, rule, value):
        if not holds:
            raise ValueError(
                f"body {body.name!r} must have {rule}, whatever its sizes, got {value}."
            )

    rule = f"links at least {SIZE[0]:g} m long and wide"
    check(side > 0.999 * SIZE[0], rule, f"{side:.3g} m")
    rule = f"a hull of at least {LEAST_HULL:g} m^2"
    check(area >= LEAST_HULL, rule, f"{area:.3g} m^2")
    rule = f"no part more than {MOST_RATIO:g} times as heavy as another"
    check(ratio <= MOST_RATIO, rule, f"{ratio:.5g}")
    rule = f"motors that lift at most {MOST_LIFT:g} times its weight at a leg's length"
    check(lift <= MOST_LIFT, rule, f"{lift:.5g}")
    rule = f"hips at most {MOST_ARM:g} times as far from the hull's centre as its corners"
    check(arm <= MOST_ARM, rule, f"{arm:.3g}")
    rule = f"at most {MOST_REACH:g} m from hull to foot"
    check(reach <= MOST_REACH, rule, f"{reach:.2f} m")


def _check_stance(walkers: tuple[Anatomy, ...]) -> None:
    for walker in walkers:
        body = walker.body
        stance = np.clip(STANCE, body.joint_lower, body.joint_upper)
        joints = np.repeat(stance[:, None], body.num_legs, axis=1)
        hull, links = _points(walker, 0.0, joints)
        x, _ = np.concatenate([hull, links], axis=1)
        extent = np.abs(x + walker.centre[0]).max()
        if extent > START_X:
            raise ValueError(
                f"body {body.name!r} must extend at most {START_X:.2f} m before and behind its"
                f" origin where it stands, whatever its sizes, got {extent:.2f} m."
            )
        hull_lowest, lowest = hull[1].min(), links[1].min()
        if hull_lowest <= lowest:
            raise ValueError(
                f"body {body.name!r} must stand on its feet at hips {STANCE[0]} and knees"
                f" {STANCE[1]} rad (or their limits), whatever its sizes, but its hull is"
                f" {lowest - hull_lowest:.3g} m lower."
            )


def _check_start(name: str, start: Start, walker: Anatomy) -> None:
    joints = np.array(start.joints)
    lower = np.array(walker.body.joint_lower)[:, None]
    upper = np.array(walker.body.joint_upper)[:, None]
    *place, hull_angle = start.pose
    points = np.concatenate(_points(walker, hull_angle, joints), axis=1)
    x, y = points + np.array(place)[:, None]
    past = np.maximum(lower - joints, joints - upper).max()
    is_on_pad = x.min() >= 0 and x.max() <= PAD
    if not (is_on_pad and y.min() >= -DEEP and past <= PAST):
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
    rotation = np.array([[cos, -sin], [sin, cos]])
    hull = rotation @ walker.hull
    top = rotation @ walker.hips
    angle = hull_angle + walker.rest_angles[:, 0]
    corners = []
    for part in range(2):
        angle = angle + joints[part]
        x, y = np.sin(angle), -np.cos(angle)
        axis = np.stack([x, y])
        side = walker.width[part] / 2 * np.stack([-y, x])
        bottom = top + walker.length[part] * axis
        corners += [top + side, top - side, bottom + side, bottom - side]
        top = bottom
    return hull, np.concatenate(corners, axis=1)
