import jax
import jax.numpy as jnp
import numpy as np
import pytest
from references.box2d_walker import Box2DWalker

from jaxcurriculum import envs
from jaxcurriculum.envs.walker import terrain, tracks
from jaxcurriculum.envs.walker.bodies import BODIES, get_body


def flat_level(push=0.0):
    tops = jnp.full(terrain.NUM_STUMPS, terrain.NOWHERE)
    return terrain.Level(tops=tops, pitch=jnp.float32(1), push=jnp.float32(push))


@pytest.mark.parametrize("name", sorted(BODIES))
def test_observation_is_gymnasiums_on_the_same_state(name):
    walker, rng = Box2DWalker(name), np.random.default_rng(0)
    walker.reset()
    level = jax.tree.map(lambda x: x[..., None], flat_level())
    for t in range(40):
        if t % 6 == 0:
            action = rng.uniform(-1, 1, 4)
        obs, *_ = walker.step(action)
        state = jax.tree.map(lambda x: jnp.asarray(x)[..., None], walker.read())
        window = terrain.look_around(level, state.hull_pose[0] - 3, 9.0)
        ours = tracks.observe(get_body(name), window, state, jnp.asarray(obs[[8, 13]] > 0)[:, None])
        np.testing.assert_allclose(ours[:, 0], obs, atol=2e-3)
        if walker.game_over:
            break


def test_reward_is_gymnasiums_on_the_same_step():
    walker, rng, env = Box2DWalker(), np.random.default_rng(1), envs.stump_tracks()
    step, errors = jax.jit(env.step), []
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


@pytest.mark.parametrize("name", sorted(BODIES))
def test_reset_is_box2ds_second_step(name):
    env, walker = envs.stump_tracks(body=name), Box2DWalker(name, own_ground=True)
    walker.reset()
    walker.step(np.zeros(4))
    state, time_step = env.reset(jax.random.key(0), flat_level())
    expected = walker.read()
    for field in ("hull_pose", "joints", "hull_velocity", "link_velocity"):
        np.testing.assert_allclose(getattr(state, field), getattr(expected, field), atol=2e-5)
    assert time_step.obs.shape == (env.obs_dim,) and not time_step.terminated and time_step.reward == 0


def test_push_moves_the_hull_as_in_box2d():
    speeds = []
    for push in (-5.0, 5.0):
        walker = Box2DWalker(push=push)
        walker.reset()
        walker.step(np.zeros(4))
        speeds.append(walker.hull.linearVelocity[0])
    ours = [float(envs.stump_tracks().reset(jax.random.key(0), flat_level(p))[0].hull_velocity[0]) for p in (-5.0, 5.0)]
    assert np.isclose(ours[1] - ours[0], speeds[1] - speeds[0], rtol=0.15)


def at(env, x, y, angle=0.0):
    state, _ = env.reset(jax.random.key(0), flat_level())
    return state.replace(hull_pose=jnp.array([x, terrain.GROUND + y, angle]))


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
def test_an_episode_ends_at_the_finish_at_a_fall_and_behind_the_start(x, y, angle, terminated, fell):
    env = envs.stump_tracks()
    _, time_step = env.step(jax.random.key(0), flat_level(), at(env, x, y, angle), jnp.zeros(4))
    assert time_step.terminated == terminated and not time_step.truncated
    assert (time_step.reward == -100.0) == fell


def test_nested_vmaps_equal_single_steps():
    env = envs.stump_tracks()
    keys = jax.random.split(jax.random.key(0), (2, 3))
    levels = jax.vmap(jax.vmap(env.generate))(keys, jax.vmap(jax.vmap(env.task_space.sample))(keys))
    states, _ = jax.vmap(jax.vmap(env.reset))(keys, levels)
    actions = jax.random.uniform(jax.random.key(1), (2, 3, 4), minval=-1)
    mapped = jax.jit(jax.vmap(jax.vmap(env.step)))(keys, levels, states, actions)
    step = jax.jit(env.step)
    for i in range(2):
        for j in range(3):
            single = step(keys[i, j], *jax.tree.map(lambda x, i=i, j=j: x[i, j], (levels, states)), actions[i, j])
            jax.tree.map(lambda a, b, i=i, j=j: np.testing.assert_allclose(a[i, j], b, atol=2e-5), mapped, single)


def test_state_has_one_dtype_and_no_weak_types():
    env = envs.stump_tracks()
    level = env.generate(jax.random.key(0), jnp.array([1.0, 1.0]))
    first = jax.eval_shape(env.reset, jax.random.key(0), level)
    after = jax.eval_shape(env.step, jax.random.key(0), level, first[0], jax.ShapeDtypeStruct((4,), jnp.float32))
    described = [[(x.shape, x.dtype, x.weak_type) for x in jax.tree.leaves(part)] for part in (first, after)]
    assert described[0] == described[1] and not any(weak for _, _, weak in described[0])


def test_bad_configurations_say_what_is_wrong():
    with pytest.raises(ValueError, match="default, short"):
        envs.stump_tracks(body="tall")
    with pytest.raises(ValueError, match="stump_height"):
        envs.stump_tracks(min_stump_height=2.0, max_stump_height=1.0)
    with pytest.raises(ValueError, match="negative"):
        envs.stump_tracks(min_obstacle_spacing=-1.0)
