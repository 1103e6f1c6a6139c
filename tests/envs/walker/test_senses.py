"""The lidar against a plain ray cast in NumPy float64 on every kind of track.

And gymnasium's flags: what its listener makes of feet that slide, lift and land on ground of
pieces.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from walker_scenes import batched, level, numbers, stumps

from jaxcurriculum import envs
from jaxcurriculum.envs.walker.drawing import scene
from jaxcurriculum.envs.walker.engine.kinematics import WalkerState
from jaxcurriculum.envs.walker.engine.surfaces import GROUND, STEP
from jaxcurriculum.envs.walker.engine.terrain import window_at
from jaxcurriculum.envs.walker.senses import lidar, no_contact, update_flags
from jaxcurriculum.testing.compiling import quick_jit
from references.box2d_walker import Box2DWalker

TRACKS = {
    "stumps": envs.stump_tracks,
    "rotated stumps": lambda: envs.stump_tracks(stump_width=(1.0, 2.0), stump_rotation=(0.0, 6.28)),
    "hexagons": envs.hexagon_tracks,
    "sequences": envs.stump_sequences,
    "rough ground": envs.bipedal_walker,
    "hardcore": lambda: envs.bipedal_walker(hardcore=True),
    "obstacles": envs.obstacle_tracks,
}


def ray_cast(segments, origin):
    """Nearest hit of the ten rays with segments [num, 2 (ends), 2]."""
    start, end = segments[:, 0], segments[:, 1]
    along, fractions = end - start, []
    for i in range(10):
        angle = 1.5 * i / 10
        ray = 160 / 30 * np.array([np.sin(angle), -np.cos(angle)])
        det = ray[0] * -along[:, 1] + ray[1] * along[:, 0]
        with np.errstate(divide="ignore", invalid="ignore"):
            offset = start - origin
            t = (offset[:, 0] * -along[:, 1] + offset[:, 1] * along[:, 0]) / det
            u = (ray[0] * offset[:, 1] - ray[1] * offset[:, 0]) / det
        hit = (det != 0) & (t >= 0) & (t <= 1) & (u >= 0) & (u <= 1)
        fractions.append(min([1.0, *t[hit]]))
    return np.array(fractions)


@pytest.mark.parametrize("name", TRACKS)
def test_lidar_is_the_nearest_hit(name):
    env, rng, worst = TRACKS[name](), np.random.default_rng(0), []
    generate = quick_jit(lambda key: env.generate(key, env.task_space.sample(key)))
    look = quick_jit(lambda level, origin: lidar(window_at(level, origin[0] - 1, 7.0), origin))
    for seed in range(60):
        level = generate(jax.random.key(seed))
        ground, obstacles = scene(jax.tree.map(np.asarray, level))
        ground = np.array([[-9.0, ground[0, 1]], *ground, [200.0, ground[-1, 1]]])
        segments = np.stack([ground[:-1], ground[1:]], 1).astype(float)
        sides = [np.stack([polygon, np.roll(polygon, -1, 0)], 1) for polygon in obstacles]
        x = rng.uniform(2, 85)
        over = [
            polygon[:, 1].max()
            for polygon in obstacles
            if polygon[:, 0].min() < x + 0.1 and polygon[:, 0].max() > x - 0.1
        ]
        origin = np.array([x, max([np.interp(x, *ground.T), *over]) + rng.uniform(0.2, 2.5)])
        found = look(batched(level), jnp.asarray(origin, jnp.float32)[:, None])[:, 0]
        worst.append(
            np.abs(np.asarray(found) - ray_cast(np.concatenate([segments, *sides]), origin)).max()
        )
    assert np.sort(worst)[-2] < 5e-4  # a ray may graze a corner on either side once


WALKER = numbers("default")
# m from the centre of mass down to the soles of straight legs
LEG = float(WALKER.length.sum() - WALKER.hips[1, 0, 0])
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
    track = batched(level(boxes, ground=np.full(200, GROUND)))
    flags, found = no_contact(2, 1), []
    for x, height in poses:
        flags = flags_after(track, standing(x, height), flags)
        found.append(bool(flags.flag[0, 0] > 0))
    return found


@quick_jit
def flags_after(track, state, flags):
    window = window_at(track, state.hull_pose[0] - 3, 9.0)
    return update_flags(WALKER, window, state.replace(flags=flags), jnp.zeros((2, 1), bool))


EDGE = 30 * STEP  # between two pieces


def test_a_foot_that_lands_and_lifts():
    inside = EDGE + STEP / 2
    poses = [(inside, 0.3), (inside, 0.01), (inside, 0.01), (inside, 0.3)]
    assert flags_of(poses) == [False, True, True, False]


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
    rng, step = np.random.default_rng(0), quick_jit(env.step)
    key, same = jax.random.key(0), []
    flags = env.reset(key, track)[0].flags
    for t in range(300):
        if t % 8 == 0:
            action = rng.uniform(-1, 1, 4).astype(np.float32)
        before = jax.tree.map(jnp.asarray, walker.read()).replace(flags=flags)
        state, now = step(key, track, before, action)
        flags, obs = state.flags, walker.step(action)[0]
        same.append(np.array(obs[[8, 13]] > 0) == np.array(now.obs[jnp.array([8, 13])] > 0))
        if walker.game_over:
            break
    assert len(same) > 40 and np.mean(same) > 0.85


def test_unknown_flags_are_refused():
    with pytest.raises(ValueError, match="contact_flag"):
        envs.bipedal_walker(contact_flag="gym")
