"""brax: its own robots at factors of 1, a fresh one for every episode, and axes that are felt."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import envs
from jaxcurriculum.envs.adapters import brax_env
from jaxcurriculum.records import fresh_proposals
from jaxcurriculum.rollout.collect import collect, init_rollout
from jaxcurriculum.rollout.pool import RolloutConfig
from jaxcurriculum.testing.compiling import quick_jit

NUM_ENVS, NUM_STEPS, EPISODE = 4, 9, 3


def test_every_episode_is_played_by_a_fresh_robot():
    """Of equal arms with weaker and stronger motors: the task decides how fast they turn."""
    env = envs.brax("reacher", {"gear": (0.1, 10.0)}, backend="spring", max_episode_steps=EPISODE)
    config = RolloutConfig(num_envs=NUM_ENVS, num_steps=NUM_STEPS, pool_size=16)

    def policy(key, memory, obs, first):
        return memory, jnp.ones((NUM_ENVS, 2)), obs[:, -1]

    @quick_jit
    def play(key, state):
        tasks = jax.vmap(env.task_space.sample)(jax.random.split(key, config.pool_size))
        proposals = fresh_proposals(key, tasks)
        return collect(key, env, config, state, proposals, policy)[1], proposals

    rollout, proposals = play(jax.random.key(0), init_rollout(env, NUM_ENVS, ()))
    experience, row = rollout.experience, np.asarray(rollout.row)
    assert sorted(row[::EPISODE].ravel() - NUM_ENVS) == list(range(NUM_ENVS * NUM_STEPS // EPISODE))
    assert (np.asarray(experience.truncated).nonzero()[0] % EPISODE == EPISODE - 1).all()
    tasks = np.asarray(proposals.tasks)[row - NUM_ENVS]
    shown = jax.vmap(jax.vmap(env.task_space.to_unit))(tasks)[..., 0]
    np.testing.assert_allclose(experience.extras, shown, atol=1e-6)
    first = np.asarray(experience.first)
    assert (np.abs(experience.obs[..., 6:8])[first] < 1e-2).all()  # m/s: arms begin at rest
    speed = np.linalg.norm(experience.next_obs[..., 6:8], axis=-1)[first]
    order = np.argsort(tasks[..., 0][first])
    assert (np.diff(speed[order]) > 0).mean() > 0.9 and speed.max() > 20 * speed.min()


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("dog",), "There is no robot 'dog'; there are ant, halfcheetah, "),
        ((["ant"],), r"There is no robot \['ant'\]; there are ant, "),
        (("ant", None, "bullet"), "backend must be one of generalized, .*, got 'bullet'"),
        (("ant", None, "spring", 0), "max_episode_steps must be a positive integer, got 0"),
        (("ant", None, "spring", 9, 3), "observe_task must be True or False, got 3"),
        (("ant", None, "spring", 9, True, "x"), "solved_above must be a finite number or None"),
        (("reacher", {"wind": (1, 2)}), "axes must be of gravity, .*, got 'wind'"),
        (("reacher", {"gear": (0, 2)}), "axis 'gear' must be two finite numbers of at least 0.001"),
        (
            ("reacher", {"gravity": (1, 2)}),
            "axis 'gravity' of reacher cannot vary .* horizontal plane",
        ),
        (
            ("hopper", {"mass": (1, 2)}, "spring"),
            "axis 'mass' of hopper cannot vary with the backend 'spring': ",
        ),
        (("hopper", {"damping": (1, 2)}, "spring"), "These can: gravity, friction, gear"),
    ],
)
def test_what_cannot_be_is_named(arguments, message):
    names = ("name", "axes", "backend", "max_episode_steps", "observe_task", "solved_above")
    with pytest.raises(ValueError, match=message):
        envs.brax(**dict(zip(names, arguments)))


def test_a_mistake_is_named_before_brax_is_imported(monkeypatch):
    monkeypatch.setattr("importlib.import_module", lambda name: pytest.fail(name))
    with pytest.raises(ValueError, match="axis 'mass' of ant cannot vary"):
        envs.brax("ant", {"mass": (1, 2)}, backend="positional")


@pytest.mark.slow
@pytest.mark.filterwarnings("error:Brax System")
@pytest.mark.parametrize("name", brax_env.RETURNS)
def test_robots_whose_masses_a_soft_backend_takes_as_1_are_listed(name):
    robot = brax_env._made(name, "spring")
    assert (robot.sys.spring_mass_scale == 1) == (name in brax_env.OF_UNIT_MASS)


@pytest.mark.slow
def test_with_factors_of_one_it_is_braxs():
    from brax.envs import get_environment

    env = envs.brax("reacher", {"gear": (0.5, 2.0)}, backend="spring", observe_task=False)
    theirs, level = get_environment("reacher", backend="spring"), jnp.ones(1)
    actions = jax.random.uniform(jax.random.key(1), (20, 2), minval=-1.0, maxval=1.0)

    @quick_jit
    def both(key):
        def step(states, action):
            ours, timestep = env.step(key, level, states[0], action)
            brax = theirs.step(states[1], action)
            return (ours, brax), (timestep.obs, brax.obs, timestep.reward, brax.reward)

        start = env.reset(key, level)[0], theirs.reset(key)
        return jax.lax.scan(step, start, actions)[1]

    with jax.numpy_rank_promotion("allow"):
        obs, their_obs, reward, their_reward = both(jax.random.key(0))
    np.testing.assert_allclose(obs, their_obs, atol=1e-5)
    np.testing.assert_allclose(reward, their_reward, atol=1e-5)
