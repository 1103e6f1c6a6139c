"""gymnasium's flags: what its listener makes of feet that slide, lift and land on ground of
pieces.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from walker_scenes import batched, level, numbers, stumps

from jaxcurriculum import envs
from jaxcurriculum.envs.walker.contact_flags import hear, no_contact
from jaxcurriculum.envs.walker.engine.kinematics import WalkerState
from jaxcurriculum.envs.walker.engine.surfaces import GROUND, STEP
from jaxcurriculum.envs.walker.engine.terrain import look_around
from jaxcurriculum.testing.compiling import quick_jit
from references.box2d_walker import Box2DWalker

WALKER = numbers("default")
LEG = float(
    WALKER.length.sum() - WALKER.hips[1, 0, 0]
)  # m from the centre of mass down to the soles of straight legs
HALF_FOOT = float(WALKER.width[1, 0, 0] / 2)


def standing(x, height):
    """Upright on straight parallel legs, the feet's middle at x and this high above the ground."""
    return batched(
        WalkerState(
            hull_pose=jnp.array(
                [x - WALKER.hips[0, 0, 0], GROUND + height + LEG, 0.0], jnp.float32
            ),
            joints=jnp.array([[0.05, -0.05], [0.0, 0.0]]),
            hull_velocity=jnp.zeros(3),
            link_velocity=jnp.zeros((3, 2, 2)),
            offset=jnp.zeros((2, 2, 2)),
            impulses=jnp.zeros((10, 2)),
        )
    )


def flags_of(poses, boxes=()):
    """The left foot's flag after each pose (x, height)."""
    track, flags, heard = batched(level(boxes, ground=np.full(200, GROUND))), no_contact(2, 1), []
    for x, height in poses:
        flags = flags_after(track, standing(x, height), flags)
        heard.append(bool(flags.flag[0, 0] > 0))
    return heard


@quick_jit
def flags_after(track, state, flags):
    window = look_around(track, state.hull_pose[0] - 3, 9.0)
    return hear(WALKER, window, state, flags, jnp.zeros((2, 1), bool))


EDGE = 30 * STEP  # between two pieces


def test_a_foot_that_lands_and_lifts():
    inside = EDGE + STEP / 2
    assert flags_of([(inside, 0.3), (inside, 0.01), (inside, 0.01), (inside, 0.3)]) == [
        False,
        True,
        True,
        False,
    ]


def test_leaving_one_piece_clears_the_flag_though_the_foot_stands_on_another():
    poses = [
        (EDGE - 2 * HALF_FOOT, 0.01),
        (EDGE, 0.01),
        (EDGE + 2 * HALF_FOOT, 0.01),
        (EDGE + STEP, 0.01),
    ]
    assert flags_of(poses) == [True, True, False, True]


def test_stepping_from_a_stump_to_the_ground():
    boxes = stumps([0.3], start=EDGE)
    on, beside = EDGE + STEP / 2, EDGE + STEP + HALF_FOOT + 0.1
    assert flags_of([(on, 0.31), (beside, 0.2), (beside, 0.01)], boxes) == [True, False, True]


def test_flags_are_mostly_gymnasiums():
    """From Box2D's own states, step by step; true contact differs from gymnasium's flags in
    twice as many.
    """
    env, walker = envs.bipedal_walker(contact_flag="box2d"), Box2DWalker(own_ground=True)
    walker.reset(seed=0)
    pieces = sorted(part for part in walker.terrain if len(part) == 2)
    track = level(ground=[piece[0][1] for piece in pieces] + [pieces[-1][1][1]])
    rng, step, flags, same = (
        np.random.default_rng(0),
        quick_jit(env.step),
        env.reset(jax.random.key(0), track)[0].flags,
        [],
    )
    for t in range(300):
        if t % 8 == 0:
            action = rng.uniform(-1, 1, 4).astype(np.float32)
        state, now = step(
            jax.random.key(0),
            track,
            jax.tree.map(jnp.asarray, walker.read()).replace(flags=flags),
            action,
        )
        flags, obs = state.flags, walker.step(action)[0]
        same.append(np.array(obs[[8, 13]] > 0) == np.array(now.obs[jnp.array([8, 13])] > 0))
        if walker.game_over:
            break
    assert len(same) > 40 and np.mean(same) > 0.85


def test_unknown_flags_are_refused():
    with pytest.raises(ValueError, match="contact_flag"):
        envs.bipedal_walker(contact_flag="gym")
