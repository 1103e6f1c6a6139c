"""Where the parts of a walker are created in Box2D: frames [1 + 2 legs, 3] (x, y, angle) of hull,
upper and lower, leg by leg.

Points of the plane are complex numbers here: a rotation is a product.
"""

import cmath

import numpy as np

from jaxcurriculum.envs.walker.bodies import BODIES, STANCE, Body
from references.box2d_world import GROUND, START

SKIN = 0.02  # m: Box2D keeps resting shapes this far apart


def tilts(body: Body) -> tuple[float, ...]:
    """Angle of each leg against the hull where its hip reads 0, rad."""
    return body.rest_angles or (0.0,) * body.num_legs


def created(body: Body) -> np.ndarray:
    """Frames in which an episode begins: as published for a published body, and joined at rest
    on the ground for any other.
    """
    return published_frames(body) if body == BODIES.get(body.name) else standing(body)


def published_frames(body: Body) -> np.ndarray:
    """Legs 16 pixels above their joints, and the quadruped's aside of them too: the first steps
    pull them together.
    """
    upper, lower = body.link_lengths
    y = GROUND + upper + lower
    frames = [(START, y, 0.0)]
    for (hip_x, hip_y), tilt in zip(body.hips, tilts(body)):
        x = START + np.interp(hip_x, [-1, 1], [-1.6, 1.6])
        frames += [(x, y - upper / 2 - hip_y, tilt), (x, y - upper - lower / 2 - hip_y, tilt)]
    return np.array(frames)


def standing(body: Body) -> np.ndarray:
    """All legs in `STANCE`, as far as their limits let them, and the lowest point on the ground."""
    joints = np.clip(STANCE, body.joint_lower, body.joint_upper)
    frames = joined(body, (START, 0.0, 0.0), np.tile(joints[:, None], body.num_legs))
    _, y, angle = frames[1:].T
    width = np.tile(body.link_widths, body.num_legs)
    length = np.tile(body.link_lengths, body.num_legs)
    below = (abs(np.sin(angle)) * width + abs(np.cos(angle)) * length) / 2
    lowest = min(*(y - below), *(y for _, y in body.hull))
    frames[:, 1] += GROUND + SKIN - lowest
    return frames


def joined(body: Body, origin, joints) -> np.ndarray:
    """Frames of a walker whose hull's origin is at `origin` (x, y, angle) and whose joints [2
    (hip, knee), legs] are joined.
    """
    x, y, angle = map(float, origin)
    frames = [(x, y, angle)]
    for hip, tilt, joint_angles in zip(body.hips, tilts(body), joints.T):
        link, top = angle + tilt, complex(x, y) + complex(*hip) * cmath.rect(1, angle)
        for joint_angle, length in zip(joint_angles, body.link_lengths):
            link += joint_angle
            down = -1j * cmath.rect(length, link)
            centre = top + down / 2
            frames.append((centre.real, centre.imag, link))
            top += down
    return np.array(frames)


def origin_of(pose, centre) -> tuple[float, float, float]:
    """The frame of a hull whose centre of mass, `centre` from its origin, is at `pose` (x, y,
    angle).
    """
    x, y, angle = map(float, pose)
    origin = complex(x, y) - complex(*centre) * cmath.rect(1, angle)
    return origin.real, origin.imag, angle
