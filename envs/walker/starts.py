"""Where Box2D holds the published walkers when an episode begins.

gymnasium's `reset` creates the legs 16 pixels above where their joints want them, which reduced
coordinates cannot hold. These are the states after `reset`, which makes one step, and one more step
with zero action, without the initial push, measured in Box2D 2.3.10
(tests/envs/walker/test_box2d_reference.py measures them again). They differ with the ground's edges
under the feet: one long edge, as on the published flat tracks, or many, as on gymnasium's own
ground. The short walker's legs are not yet joined on the latter.
"""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import numpy as np

from jaxcurriculum.envs.walker.engine.surfaces import GROUND
from jaxcurriculum.fields import as_tuples, checked_array

MOST_LEGS = 8  # a program grows with them
MOST_ANGLE = 6.284  # rad: joints stay within a whole rotation either way
MOST = 100.0  # m, rad, m/s, rad/s


class StartArrays(NamedTuple):
    """A start as arrays, without or with a last axis of a batch; as `WalkerState` has them."""

    hull_pose: Any  # [3]
    joints: Any  # [2, legs]
    hull_velocity: Any  # [3]
    link_velocity: Any  # [3, 2, legs]
    touched: Any  # [legs], 1 where a lower link touched the ground


@dataclasses.dataclass(frozen=True, kw_only=True)
class Start:
    """A state of a walker on flat ground, as an episode begins.

    Raises:
      ValueError: when a number is beyond a hundred, a joint beyond a whole rotation, or the numbers
        of legs differ.

    >>> Start(pose=(4.6, 2.4, 0.0), joints=((0.3,), (-0.8,)), velocity=((0.0,) * 3,) * 3).num_legs
    1
    """

    # m, m, rad: the hull's centre of mass (x, height above the ground) and angle
    pose: tuple[float, float, float]
    joints: tuple[tuple[float, ...], tuple[float, ...]]  # rad, hips then knees
    # vx, vy (m/s), rate (rad/s): hull, then upper and lower, leg by leg
    velocity: tuple[tuple[float, ...], ...]
    # whether each lower link touched the ground in the step before; by default all did
    touched: tuple[bool, ...] = ()

    def __post_init__(self):
        rule, lengths = "hips, then as many knees", ((2,), range(1, MOST_LEGS + 1))
        legs = self._keep("joints", rule, lengths, MOST_ANGLE).shape[1]
        self._keep("pose", "three numbers", ((3,),), MOST)
        rule, lengths = f"three rows of {1 + 2 * legs} numbers", ((3,), (1 + 2 * legs,))
        self._keep("velocity", rule, lengths, MOST)
        is_sequence = isinstance(self.touched, tuple | list | np.ndarray)
        touched = np.array(self.touched if is_sequence else None)
        if touched.size and not (touched.shape == (legs,) and touched.dtype == bool):
            raise ValueError(
                f"touched must be True or False for each of {legs} legs, got {self.touched!r}."
            )
        object.__setattr__(self, "touched", tuple(touched.tolist()) or (True,) * legs)

    def _keep(self, name: str, rule: str, lengths: tuple, most: float) -> np.ndarray:
        """Check a field, whose numbers are at most `most` either way, and keep it as floats."""
        array = checked_array(name, getattr(self, name), rule, lengths, -most, most)
        object.__setattr__(self, name, as_tuples(array))  # the record is frozen once it is made
        return array

    @property
    def num_legs(self) -> int:
        return len(self.joints[0])

    def arrays(self) -> StartArrays:
        """The numbers that a walker begins with, on flat ground."""
        hull_velocity, links = np.split(np.array(self.velocity), [1], axis=1)
        by_leg = links.reshape(3, self.num_legs, 2)
        return StartArrays(
            hull_pose=np.array(self.pose) + [0, GROUND, 0],
            joints=np.array(self.joints),
            hull_velocity=hull_velocity[:, 0],
            link_velocity=by_leg.swapaxes(1, 2),
            touched=np.array(self.touched, float),
        )


STARTS: dict[str, dict[str, Any]] = {
    "default": dict(
        start=Start(
            pose=(4.636015, 2.374524, -0.000560),
            joints=((0.287202, 0.214449), (-0.820669, -0.834270)),
            velocity=(
                (-0.030170, 0.116066, 0.133153, 0.129147, 0.145951),
                (-0.015672, -0.008105, 0.011996, -0.002104, 0.018173),
                (0.000279, 0.258357, -0.228336, 0.282041, -0.252578),
            ),
        ),
        start_on_pieces=Start(
            pose=(4.627994, 2.393526, -0.005232),
            joints=((0.435761, 0.338511), (-0.885276, -0.883692)),
            velocity=(
                (-0.030252, 0.119783, 0.136977, 0.129594, 0.146454),
                (-0.015901, -0.008231, 0.012326, -0.002284, 0.018226),
                (0.000208, 0.265088, -0.234948, 0.283008, -0.253389),
            ),
        ),
    ),
    "short": dict(
        start=Start(
            pose=(4.640468, 1.170264, -0.001379),
            joints=((0.473892, 0.434523), (-1.450309, -1.478940)),
            velocity=(
                (-0.036093, 0.622876, 0.677330, 0.312602, 0.352032),
                (-0.241446, -0.144447, 0.091180, -0.141570, 0.038211),
                (-0.016868, 2.366716, -2.202795, 1.295454, -1.142855),
            ),
        ),
    ),
    "long": dict(
        start=Start(
            pose=(4.632504, 3.582271, 0.001222),
            joints=((0.194625, 0.113884), (-0.495062, -0.505409)),
            velocity=(
                (-0.019013, 0.048940, 0.057730, 0.045475, 0.054131),
                (-0.003978, -0.002132, 0.003326, -0.000511, 0.004697),
                (0.009225, 0.077138, -0.066913, 0.073137, -0.062910),
            ),
        ),
        start_on_pieces=Start(
            pose=(4.626392, 3.612136, -0.001462),
            joints=((0.240801, 0.153190), (-0.481983, -0.496572)),
            velocity=(
                (-0.018960, 0.048996, 0.057748, 0.042379, 0.050984),
                (-0.003831, -0.002054, 0.003322, -0.000523, 0.004492),
                (0.009270, 0.077124, -0.066965, 0.069414, -0.059219),
            ),
        ),
    ),
    "quadruped": dict(
        start=Start(
            pose=(4.641081, 3.506242, -0.060585),
            joints=(
                (-0.030495, -0.105770, 0.597676, 0.522888),
                (-0.234598, -0.265494, -0.748663, -0.783604),
            ),
            velocity=(
                (
                    0.027085,
                    -0.013614,
                    -0.004699,
                    -0.013577,
                    -0.004595,
                    -0.010806,
                    0.003290,
                    -0.011297,
                    0.003193,
                ),
                (
                    -0.243524,
                    0.001811,
                    0.000223,
                    0.001613,
                    -0.000004,
                    -0.411027,
                    -0.397804,
                    -0.410599,
                    -0.397116,
                ),
                (
                    -0.207332,
                    0.005330,
                    0.005393,
                    0.005364,
                    0.005294,
                    0.028535,
                    -0.009000,
                    0.028266,
                    -0.007943,
                ),
            ),
            touched=(True, True, False, False),
        ),
        start_on_pieces=Start(
            pose=(4.641081, 3.506242, -0.060585),
            joints=(
                (-0.030495, -0.105770, 0.597676, 0.522888),
                (-0.234598, -0.209476, -0.748663, -0.783604),
            ),
            velocity=(
                (
                    0.027085,
                    -0.013614,
                    -0.004699,
                    -0.013577,
                    -0.004473,
                    -0.010806,
                    0.003290,
                    -0.011297,
                    0.003193,
                ),
                (
                    -0.243524,
                    0.001811,
                    0.000223,
                    0.001613,
                    0.000787,
                    -0.411027,
                    -0.397804,
                    -0.410599,
                    -0.397116,
                ),
                (
                    -0.207332,
                    0.005330,
                    0.005393,
                    0.005364,
                    0.005232,
                    0.028535,
                    -0.009000,
                    0.028266,
                    -0.007943,
                ),
            ),
            touched=(True, True, False, False),
        ),
    ),
}
