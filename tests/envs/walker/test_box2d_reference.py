"""The reference itself: gymnasium's walker step for step, states in and out unchanged,
gymnasium's gait decision for decision.
"""

import dataclasses

import jax
import numpy as np
import pytest
from gymnasium.envs.box2d.bipedal_walker import BipedalWalker, BipedalWalkerHeuristics

from jaxcurriculum.envs.walker.bodies import BODIES, Body
from references.box2d_walker import Box2DWalker, episode, measure_start
from references.box2d_world import GROUND, box
from references.heuristic_walker import HeuristicGait

TRIPOD = Body(
    name="tripod",
    hull=((-0.6, -0.2), (0.6, -0.2), (0.4, 0.3)),
    hips=((-0.5, -0.1), (0.0, -0.2), (0.5, -0.1)),
    link_lengths=(0.9, 0.6),
    link_widths=(0.25, 0.2),
    joint_lower=(-0.8, -0.7),
)
EVERY_BODY = [*BODIES.values(), TRIPOD]


def names(body):
    return body.name


@pytest.mark.parametrize("hardcore", [False, True])
def test_the_default_body_is_gymnasiums_step_for_step(hardcore):
    """Observations and rewards are the same to the last digit, on the ground and with the push
    that gymnasium draws.
    """
    ours = Box2DWalker(own_ground=True, hardcore=hardcore, push=None)
    rng, ended, seed = np.random.default_rng(0), True, 0
    for _ in range(400):
        if ended:
            seed, original = seed + 1, BipedalWalker(hardcore=hardcore)
            np.testing.assert_array_equal(ours.reset(seed)[0], original.reset(seed=seed)[0])
        action = rng.uniform(-1.2, 1.2, 4).astype(np.float32)
        (obs, reward, ended, *_), expected = ours.step(action), original.step(action)
        np.testing.assert_array_equal(obs, expected[0])
        assert (reward, ended) == expected[1:3]


@pytest.mark.parametrize("body", EVERY_BODY, ids=names)
def test_place_and_read_are_inverse(body):
    rng, walker, other = np.random.default_rng(0), Box2DWalker(body), Box2DWalker(body)
    walker.reset()
    for action in rng.uniform(-1, 1, (20, body.num_joints)):
        walker.step(action)
    for state in (walker.read(), random_state(walker.read(), rng)):
        other.place(state.replace(offset=np.zeros_like(state.offset)))
        assert max((joint.anchorA - joint.anchorB).length for joint in other.joints) < 1e-5
        other.place(state)
        expected = state.replace(impulses=np.zeros_like(state.impulses))  # a placed walker has none
        jax.tree.map(
            lambda x, y: np.testing.assert_allclose(x, y, atol=1e-5), other.read(), expected
        )


def test_impulses_carry_a_standing_walker():
    walker = Box2DWalker("default")
    walker.reset()
    for _ in range(200):
        walker.step(np.array([0.0, 1e-9, 0.0, 1e-9]))
    walker.step(np.full(4, 1e-9))
    before, after = walker.read(), (walker.step(np.full(4, 1e-9)), walker.read())[1]
    mass = np.array([part.mass for part in walker.bodies])

    def speeds(state):
        return np.array([state.hull_velocity[1], *state.link_velocity[1].T.ravel()])

    pushed = (mass * (speeds(after) - speeds(before))).sum() + 10 / 50 * mass.sum()
    np.testing.assert_allclose(after.impulses[2:6].sum(), pushed, rtol=1e-3)


def random_state(state, rng):
    random = jax.tree.map(lambda x: rng.normal(size=x.shape).astype(np.float32), state)
    return random.replace(impulses=state.impulses)


def test_place_takes_one_of_a_batch_and_forgets_what_was_before():
    walker, rng = Box2DWalker(), np.random.default_rng(0)
    walker.reset()
    state = walker.read()
    batch = jax.tree.map(lambda x: np.stack([np.zeros_like(x), x], axis=-1), state)
    ends = []
    for warm_up in (0, 30):
        for _ in range(warm_up):
            walker.step(rng.uniform(-1, 1, 4))
        walker.place(batch, 1)
        for action in np.random.default_rng(1).uniform(-1, 1, (30, 4)):
            obs, reward, *_ = walker.step(action)
        ends.append([*obs, reward])
    np.testing.assert_array_equal(*ends)


@pytest.mark.parametrize("body", EVERY_BODY, ids=names)
def test_observations_and_torque_cost_of_every_body(body):
    walker = Box2DWalker(body)
    obs, _ = walker.reset()
    assert obs.shape == (4 + 5 * body.num_legs + 10,)
    walker.place(walker.read())
    before = 130 / 30 * walker.hull.position[0] - 5 * abs(walker.hull.angle)
    _, reward, *_ = walker.step(np.full(body.num_joints, 3.0))
    after = 130 / 30 * walker.hull.position[0] - 5 * abs(walker.hull.angle)
    assert np.isclose(reward, after - before - body.num_joints * body.torque_cost)


@pytest.mark.parametrize("body", [body for body in BODIES.values() if body.start], ids=names)
def test_starts_are_what_gymnasium_holds(body):
    for start, many_edges in ((body.start, False), (body.start_on_pieces, True)):
        if start is not None:
            measured = measure_start(Box2DWalker(body, own_ground=many_edges))
            jax.tree.map(
                lambda x, y: np.testing.assert_allclose(x, y, atol=2e-6),
                dataclasses.astuple(measured),
                dataclasses.astuple(start),
            )


def test_any_other_body_stands_where_it_is_created():
    walker = Box2DWalker(TRIPOD)
    walker.reset()
    hull_height = walker.hull.worldCenter[1]
    assert max((joint.anchorA - joint.anchorB).length for joint in walker.joints) < 1e-3
    walker.step(np.zeros(6))
    assert abs(walker.hull.worldCenter[1] - hull_height) < 0.02


def test_lines_and_polygons_are_ground():
    walker = Box2DWalker(
        ground=[(-10, GROUND), (6, GROUND), (40, GROUND + 17)], obstacles=[box(0.0, 1.0, 5.0)]
    )
    walker.reset()
    walker.move(20 - walker.hull.position[0], 15)
    x, y = walker.hull.position
    slope = GROUND + (x - 6) / 2
    assert np.isclose(walker.observe()[-10], min(1.0, (y - slope) / (160 / 30)))
    walker.move(0, slope + 3 - y)
    assert np.isclose(walker.observe()[-10], 3 / (160 / 30), atol=1e-5)
    walker.move(0.5 - x, 0)
    assert np.isclose(walker.observe()[-10], (slope + 3 - GROUND - 5) / (160 / 30), atol=1e-5)


def test_the_flag_is_the_truth_or_gymnasiums():
    """On ground of many edges the flag of a standing foot is cleared too often; counted
    contacts are never less than flags.
    """
    flags = []
    for contact_flag in ("box2d", "exact"):
        walker = Box2DWalker(own_ground=True, contact_flag=contact_flag)
        walker.reset()
        flags.append([])
        for action in np.random.default_rng(0).uniform(-0.3, 0.3, (60, 4)):
            obs, *_ = walker.step(action)
            flags[-1].append(obs[[8, 13]])
    quirk, exact = np.array(flags)
    assert (quirk <= exact).all() and quirk.sum() < exact.sum()


@pytest.mark.parametrize("own_ground", [False, True])
def test_the_gait_is_gymnasiums(own_ground):
    """Three walkers in different episodes share one batched gait; each acts exactly as
    gymnasium's class does alone.
    """
    seeds = (0, 1, 2)
    walkers = [
        Box2DWalker(own_ground=True, push=None) if own_ground else Box2DWalker(push=2.0 * seed)
        for seed in seeds
    ]
    obs = np.stack([walker.reset(seed)[0] for walker, seed in zip(walkers, seeds)])
    gait, originals = HeuristicGait(len(seeds)), [BipedalWalkerHeuristics() for _ in seeds]
    for t in range(400):
        actions = gait(obs)
        np.testing.assert_array_equal(
            actions,
            [original.step_heuristic(row) for original, row in zip(originals, obs)],
            err_msg=str(t),
        )
        steps = [walker.step(action) for walker, action in zip(walkers, actions)]
        obs, ended = np.stack([step[0] for step in steps]), np.array([step[2] for step in steps])
        for i in np.flatnonzero(ended):
            obs[i], originals[i] = walkers[i].reset(100 + t)[0], BipedalWalkerHeuristics()
        gait.restart(ended)


def test_an_episode_has_length_final_x_and_return():
    gait = HeuristicGait(1)
    length, x, total = episode(Box2DWalker(), lambda obs: gait(obs[None])[0], 150)
    assert length == 150 and x > 5 and np.isfinite(total)
    length, x, total = episode(Box2DWalker(), lambda obs: np.ones(4), 1600)
    assert length < 1600 and total < -90
