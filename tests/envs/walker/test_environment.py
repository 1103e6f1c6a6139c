import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from walker_scenes import level as flat_level
from walker_scenes import numbers, window

from jaxcurriculum import envs
from jaxcurriculum.envs.walker import senses
from jaxcurriculum.envs.walker.bodies import BODIES
from jaxcurriculum.envs.walker.engine.surfaces import GROUND
from jaxcurriculum.testing.compiling import quick_jit
from references.box2d_walker import Box2DWalker

TRACKS = {
    "stumps": lambda: envs.stump_tracks(min_obstacle_spacing=3.0, sizes={"leg_width": (0.5, 1.5)}),
    "hexagons": envs.hexagon_tracks,
    "sequences": envs.stump_sequences,
    "rough": envs.bipedal_walker,
    "obstacles": envs.obstacle_tracks,
}


@pytest.mark.parametrize("name", sorted(BODIES))
def test_observation_is_gymnasiums_on_the_same_state(name):
    walker, rng = Box2DWalker(name), np.random.default_rng(0)
    walker.reset()
    for t in range(40):
        if t % 6 == 0:
            action = rng.uniform(-1, 1, walker.body.num_joints)
        obs, *_ = walker.step(action)
        state = jax.tree.map(lambda x: jnp.asarray(x)[..., None], walker.read())
        touched = jnp.asarray(obs[8:-10:5] > 0)[:, None]
        ours = senses.observe(numbers(name), window(flat_level(), stretch=20.0), state, touched)
        np.testing.assert_allclose(ours[:, 0], obs, atol=2e-3)
        if walker.game_over:
            break


def test_reward_is_gymnasiums_on_the_same_step():
    walker, rng, errors = Box2DWalker(), np.random.default_rng(1), []
    _, step = stump_walker()
    walker.reset()
    for t in range(60):
        if t % 6 == 0:
            action = rng.uniform(-1.5, 1.5, 4).astype(np.float32)
        before = jax.tree.map(jnp.asarray, walker.read())
        _, reward, ended, *_ = walker.step(action)
        if ended:
            break
        _, time_step = step(jax.random.key(0), flat_level(), before, jnp.asarray(action))
        errors.append(abs(time_step.reward - reward))
    assert len(errors) > 30 and np.median(errors) < 0.02


@pytest.mark.parametrize(
    ("name", "many_edges"),
    [
        (name, many_edges)
        for name in BODIES
        for many_edges in (False, True)
        if (name, many_edges) != ("short", True)
    ],
)
def test_reset_is_box2ds_second_step(name, many_edges):
    env, walker = envs.stump_tracks(body=name), Box2DWalker(name, own_ground=many_edges)
    walker.reset()
    seen = walker.step(np.zeros(walker.body.num_joints))[0]
    state, time_step = env.reset(
        jax.random.key(0), flat_level(ground=np.full(200, GROUND) if many_edges else None)
    )
    expected = walker.read()
    for field in ("hull_pose", "joints", "hull_velocity", "link_velocity"):
        np.testing.assert_allclose(getattr(state, field), getattr(expected, field), atol=2e-5)
    np.testing.assert_array_equal(time_step.obs[8:-10:5], seen[8:-10:5])  # the contact flags
    assert time_step.obs.shape == seen.shape
    assert not time_step.terminated and time_step.reward == 0


def test_push_moves_the_hull_as_in_box2d():
    speeds = []
    for push in (-5.0, 5.0):
        walker = Box2DWalker(push=push)
        walker.reset()
        walker.step(np.zeros(4))
        speeds.append(walker.hull.linearVelocity[0])
    reset, _ = stump_walker()
    ours = [
        float(reset(jax.random.key(0), flat_level(push=push))[0].hull_velocity[0])
        for push in (-5.0, 5.0)
    ]
    assert np.isclose(ours[1] - ours[0], speeds[1] - speeds[0], rtol=0.15)


@functools.cache
def stump_walker():
    """Compiled reset and step on flat ground."""
    env = envs.stump_tracks()
    return quick_jit(env.reset), quick_jit(env.step)


def at(x, y, angle=0.0):
    state, _ = stump_walker()[0](jax.random.key(0), flat_level())
    return state.replace(hull_pose=jnp.array([x, GROUND + y, angle]))


@pytest.mark.parametrize(
    ("x", "y", "angle", "terminated", "fell"),
    [
        (30.0, 5.0, 0.0, False, False),
        (88.9, 5.0, 0.0, True, False),
        (-0.3, 5.0, 0.0, True, True),
        (30.0, 0.3, np.pi, True, True),  # on its back
        (30.0, 0.9, 1.0, True, True),
    ],
)
def test_an_episode_ends_at_the_finish_at_a_fall_and_behind_the_start(
    x, y, angle, terminated, fell
):
    _, time_step = stump_walker()[1](jax.random.key(0), flat_level(), at(x, y, angle), jnp.zeros(4))
    assert time_step.terminated == terminated and not time_step.truncated
    assert (time_step.reward == -100.0) == fell


def started(env, key, task):
    level = env.generate(key, task)
    return level, env.reset(key, level)[0]


@pytest.mark.slow
def test_nested_vmaps_equal_single_steps():
    env = envs.stump_tracks()
    keys = jax.random.split(jax.random.key(0), (2, 3))

    def start(key):
        return started(env, key, env.task_space.sample(key))

    levels, states = quick_jit(jax.vmap(jax.vmap(start)))(keys)
    actions = jax.random.uniform(jax.random.key(1), (2, 3, 4), minval=-1)
    mapped = quick_jit(jax.vmap(jax.vmap(env.step)))(keys, levels, states, actions)
    step = quick_jit(env.step)
    for i in range(2):
        for j in range(3):
            at = functools.partial(jax.tree.map, lambda x, i=i, j=j: x[i, j])
            single = step(*at((keys, levels, states, actions)))
            close = functools.partial(np.testing.assert_allclose, atol=2e-5)
            jax.tree.map(close, at(mapped), single)


@pytest.mark.slow
def test_a_body_of_half_sizes_is_the_short_one():
    """Sizes that tasks choose give the same physics as a body that has them, side by side with
    others in one batch.
    """
    sizes = {"upper_length": (0.5, 1.0), "lower_length": (0.5, 1.0)}
    half, short = envs.stump_tracks("default", sizes=sizes), envs.stump_tracks("short")
    keys = jax.random.split(jax.random.key(0), 3)
    tasks = jnp.array([[0.3, 1.0, 0.5, 0.5], [0.3, 1.0, 1.0, 0.7], [0.3, 1.0, 0.5, 0.5]])
    start = functools.partial(started, half)
    levels, states = quick_jit(jax.vmap(start))(keys, tasks)
    step, alone = quick_jit(jax.vmap(half.step)), quick_jit(short.step)
    level, state = jax.tree.map(lambda x: x[2], (levels.replace(walker=None), states))
    for t in range(10):
        action = jax.random.uniform(jax.random.key(t), (4,), minval=-1)
        states, now = step(keys, levels, states, jnp.broadcast_to(action, (3, 4)))
        state, same = alone(keys[2], level, state, action)
        np.testing.assert_allclose(now.obs[2], same.obs, atol=2e-3)


def test_state_has_one_dtype_and_no_weak_types():
    env = envs.stump_tracks()
    level = env.generate(jax.random.key(0), jnp.array([1.0, 1.0]))
    first = jax.eval_shape(env.reset, jax.random.key(0), level)
    after = jax.eval_shape(
        env.step, jax.random.key(0), level, first[0], jax.ShapeDtypeStruct((4,), jnp.float32)
    )
    described = [
        [(x.shape, x.dtype, x.weak_type) for x in jax.tree.leaves(part)] for part in (first, after)
    ]
    assert described[0] == described[1] and not any(weak for _, _, weak in described[0])


@pytest.mark.parametrize(
    ("make", "changes", "message"),
    [
        (
            envs.stump_tracks,
            dict(body="tall"),
            "body must be one of default, short, long, quadruped or a Body, got 'tall'",
        ),
        (envs.stump_tracks, dict(body=["default"]), "body must be one of"),
        (envs.stump_tracks, dict(min_stump_height=2.0, max_stump_height=1.0), "stump_height"),
        (
            envs.stump_tracks,
            dict(max_stump_height="a"),
            "bounds of stump_height must be two numbers",
        ),
        (
            envs.stump_tracks,
            dict(max_stump_height=None),
            "bounds of stump_height must be two numbers",
        ),
        (
            envs.stump_tracks,
            dict(min_obstacle_spacing=-1.0),
            "obstacle_spacing must be two numbers, .* at least 0 .* got \\(-1",
        ),
        (envs.stump_tracks, dict(stump_width=1.0), "bounds of stump_width must be two numbers"),
        (
            envs.stump_tracks,
            dict(stump_rotation=(0.0, 6.2832), max_stump_height=6.0),
            "stump_height .* at most 5 where stumps lean",
        ),
        (envs.stump_tracks, dict(stump_rotation=(0.0, 7.0)), "stump_rotation .* at most 6.28"),
        (envs.stump_tracks, dict(stump_rotation=(0.0, 1.0, 2.0)), "stump_rotation"),
        (envs.stump_tracks, dict(stump_width=(0.5, 1.0)), "200 stumps"),
        (envs.hexagon_tracks, dict(sizes={"arms": (1.0, 2.0)}), "sizes must be among"),
        (
            envs.hexagon_tracks,
            dict(sizes={"leg_width": (0.0, 2.0)}),
            "sizes of leg_width must be factors",
        ),
        (envs.hexagon_tracks, dict(sizes={"leg_width": 2.0}), "sizes of leg_width must be factors"),
        (
            envs.hexagon_tracks,
            dict(sizes={"leg_width": ("a", "b")}),
            "sizes of leg_width must be factors",
        ),
        (envs.stump_sequences, dict(sizes=["leg_width"]), "sizes must be a mapping"),
        (envs.bipedal_walker, dict(hardcore="yes"), "hardcore must be True or False, got 'yes'"),
        (envs.bipedal_walker, dict(contact_flag=True), "contact_flag must be 'true' or 'box2d'"),
        (envs.obstacle_tracks, dict(stairs=3), "stairs must be True or False"),
        (envs.stump_tasks_2019, dict(max_height=-1), "max_height"),
        (envs.stump_tasks_grid, dict(min_height=3.0, max_height=0.0), "height"),
        (envs.stump_tasks_grid, dict(max_height=float("nan")), "height"),
        (
            envs.stump_tasks_grid,
            dict(max_spacing="3"),
            "min_spacing and max_spacing must be finite numbers, .*got 0.0 and '3'",
        ),
        (envs.obstacle_tasks_2022, dict(stairs="x"), "stairs must be True or False"),
        (
            lambda num: envs.uniform_tasks(envs.stump_tracks().task_space, num),
            dict(num=0),
            "num must be an integer from 1",
        ),
    ],
)
def test_bad_arguments_say_what_is_wrong(make, changes, message):
    with pytest.raises(ValueError, match=message):
        make(**changes)


@pytest.mark.parametrize(
    ("env", "task"), [(envs.stump_tracks, jnp.zeros(3)), (envs.obstacle_tracks, jnp.zeros((1, 8)))]
)
def test_a_task_of_another_length_is_refused(env, task):
    with pytest.raises(ValueError, match=r"A task of .* must be \d numbers .*got shape"):
        env().generate(jax.random.key(0), task)


def test_an_action_of_another_length_is_refused():
    env = envs.stump_tracks()
    state, _ = env.reset(jax.random.key(0), flat_level())
    with pytest.raises(
        ValueError,
        match=r"An action on stump-tracks must be 4 numbers \(hip_0, knee_0.* got shape \(6,\)",
    ):
        env.step(jax.random.key(0), flat_level(), state, jnp.zeros(6))


@pytest.mark.parametrize("name", TRACKS)
def test_a_task_beyond_the_space_is_the_nearest_one_within(name):
    """Else stumps would stand closer than the window, which knows the bounds, looks for them."""
    env = TRACKS[name]()
    for task in (np.full(env.task_space.dims, -50.0), np.full(env.task_space.dims, 50.0)):
        beyond = env.generate(jax.random.key(0), list(task))
        within = env.generate(jax.random.key(0), env.task_space.clip(jnp.asarray(task)))
        jax.tree.map(np.testing.assert_array_equal, beyond, within)
