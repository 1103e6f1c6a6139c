"""gymnax: the same physics at the published numbers, and every axis changes what happens."""

import gymnax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import Box, envs
from jaxcurriculum.envs.adapters.gymnax_params import as_published
from jaxcurriculum.testing.compiling import quick_jit

NUM_STEPS = 100


@pytest.fixture(autouse=True)
def relaxed():
    """gymnax itself adds arrays of different ranks."""
    with jax.numpy_rank_promotion("allow"):
        yield


def actions(space, num):
    return jax.vmap(space.sample)(jax.random.split(jax.random.key(1), num))


def played(env, level):
    """What is seen first, and then, on one level or many; episodes begin in the same way."""

    def episode(level):
        state, first = env.reset(jax.random.key(0), level)

        def step(state, action):
            state, timestep = env.step(jax.random.key(0), level, state, action)
            return state, (timestep.obs, timestep.reward, timestep.terminated)

        return first.obs, jax.lax.scan(step, state, actions(env.action_space, NUM_STEPS))[1]

    level = jnp.asarray(level)
    return quick_jit(episode if level.ndim == 1 else jax.vmap(episode))(level)


@pytest.mark.parametrize(
    "name, axes", [("CartPole-v1", {"masscart": (1, 2)}), ("Pendulum-v1", {"m": (1, 2)})]
)
def test_at_the_published_numbers_it_is_gymnaxs(name, axes):
    env = envs.gymnax(name, axes, observe_task=False)
    theirs, params = gymnax.make(name)

    def step(state, action):
        obs, state, *_ = theirs.step_env(jax.random.key(0), state, action, params)
        return jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.result_type(leaf)), state), obs

    _, state = theirs.reset_env(jax.random.key(0), params)
    state = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.result_type(leaf)), state)
    _, seen = quick_jit(lambda *given: jax.lax.scan(step, *given))(
        state, actions(env.action_space, 30)
    )
    _, (obs, *_) = played(env, [1.0])
    np.testing.assert_allclose(obs[:30], seen, atol=1e-4)


def test_every_axis_of_cart_pole_changes_what_happens():
    axes = ("masscart", "masspole", "length", "gravity", "force_mag")
    env = envs.gymnax("CartPole-v1", dict.fromkeys(axes, (0.2, 2.0)), observe_task=False)
    levels = np.concatenate([np.ones((1, 5)), np.ones((5, 5)) + np.eye(5)])
    _, (obs, *_) = played(env, levels)
    assert (np.abs(obs[1:] - obs[:1])[:, :20].max(axis=(1, 2)) > 1e-3).all()


def test_as_published_the_mass_of_the_cart_changes_nothing():
    env = envs.gymnax("CartPole-v1", {"masscart": (0.2, 2.0)}, derive=as_published)
    (_, (low, *_)), (_, (high, *_)) = played(env, [0.2]), played(env, [2.0])
    np.testing.assert_array_equal(low[:, :4], high[:, :4])
    assert (low[:, 4] == 0).all() and (high[:, 4] == 1).all()  # the task itself is seen


def test_whole_numbers_are_rounded():
    env = envs.gymnax("MemoryChain-bsuite", {"memory_length": (2.0, 9.0)})
    lengths = []
    for task in (3.4, 6.6):
        level = env.generate(jax.random.key(0), jnp.array([task]))
        _, (_, _, terminated) = played(env, level)
        lengths.append(int(jnp.argmax(terminated)))
    assert lengths[1] - lengths[0] == 7 - 3


def test_an_image_keeps_its_shape_beside_the_task():
    env = envs.gymnax("SpaceInvaders-MinAtar", {"shot_cool_down": (3.0, 10.0)})
    shapes = env.observation_shapes()
    assert shapes["obs"].shape == (10, 10, 6) and shapes["task"].shape == (1,)


def test_actions_are_as_large_as_the_strongest_task_allows():
    space = envs.gymnax("Pendulum-v1", {"max_torque": (0.5, 4.0)}).action_space
    assert isinstance(space, Box) and (space.low, space.high) == ((-4.0,), (4.0,))


@pytest.mark.parametrize(
    "name, axes, message",
    [
        ("CartPole", None, "gymnax has no environment 'CartPole'; it has CartPole-v1, "),
        ("CartPole-v1", {"mass": (1, 2)}, "no parameter 'mass'; its numbers are: gravity, "),
        ("CartPole-v1", {"total_mass": (1, 2)}, "total_mass .* changes nothing: it is derived"),
        ("Acrobot-v1", {"link_length_2": (1, 2)}, "link_length_2 .* or nothing reads it"),
        ("SimpleBandit-bsuite", {"optimal_return": (1, 2)}, "optimal_return .* nothing reads it"),
        ("CartPole-v1", {"max_steps_in_episode": (1, 2)}, "is the time limit, not an axis"),
        ("CartPole-v1", {"length": (2, 1)}, "axis 'length' must be two finite .*the lower one"),
        ("CartPole-v1", {"length": (1, float("inf"))}, "axis 'length' must be two finite"),
        ("CartPole-v1", ["length"], r"axes must be a dictionary .*, got \['length'\]"),
        ("CartPole-v1", {}, "axes must name at least one axis, got none"),
        ("Acrobot-v1", {"available_torque": (1, 2)}, "available_torque .* not a single number"),
        ("MetaMaze-misc", {"normalize_time": (0, 1)}, "normalize_time .* not a single number"),
        ("Breakout-MinAtar", None, "Breakout-MinAtar has no numbers among its parameters"),
        ("CartPole-v1", {"replace": (1, 2)}, "no parameter 'replace'; its numbers are: gravity"),
        (3, None, "gymnax has no environment 3; it has CartPole-v1, "),
        (
            "MemoryChain-bsuite",
            {"memory_length": (2, 1e12)},
            r"bounds of axis 'memory_length' must fit in int32, got \(2, 1",
        ),
        ("FourRooms-misc", None, "axes must be given .*; its numbers are: .*fail_prob"),
    ],
)
def test_what_cannot_be_is_named(name, axes, message):
    with pytest.raises(ValueError, match=message):
        envs.gymnax(name, axes)


@pytest.mark.parametrize(
    "given, message",
    [
        ({"observe_task": 3}, "observe_task must be True or False, got 3"),
        ({"solved_above": "475"}, "solved_above must be a finite number or None, got '475'"),
        ({"derive": 3}, "derive must be a function from EnvParams to EnvParams, got 3"),
        ({"derive": lambda params: None}, "derive must be a function from EnvParams"),
        ({"derive": lambda: None}, "from EnvParams to EnvParams: .* takes 0 positional"),
        ({"derive": lambda one, two: one}, "from EnvParams to EnvParams: .* missing 1 required"),
        (
            {"derive": lambda params: params.replace(total_mass=float(params.masscart))},
            "from EnvParams to EnvParams: Abstract tracer value",
        ),
        (
            {"derive": lambda params: params.replace(total_mass=jnp.ones(3))},
            "from EnvParams to EnvParams: total_mass is no single number",
        ),
        ({"log": "masscart"}, "log must be a list of names of axes, got 'masscart'"),
        ({"log": None}, "log must be a list of names of axes, got None"),
        ({"log": [["masscart"]]}, r"log must name axes, masscart, got \['masscart'\]"),
        ({"derive": lambda params: params}, "masscart .* changes nothing: it is derived"),
    ],
)
def test_what_is_no_option_is_named(given, message):
    with pytest.raises(ValueError, match=message):
        envs.gymnax("CartPole-v1", {"masscart": (0.2, 2.0)}, **given)


def test_a_logarithmic_axis_must_be_one():
    with pytest.raises(ValueError, match="log must name axes, length, got 'mass'"):
        envs.gymnax("CartPole-v1", {"length": (0.1, 3.0)}, log=("mass",))
    space = envs.gymnax("CartPole-v1", {"length": (0.1, 10.0)}, log=("length",)).task_space
    assert space.from_unit(jnp.array([0.5])) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "make, module, package",
    [
        (envs.gymnax, "gymnax", "gymnax"),
        (envs.gymnax, "six.moves", "six"),
        (envs.brax, "mujoco", "mujoco"),
    ],
)
def test_a_missing_extra_says_how_it_is_installed(make, module, package, monkeypatch):
    def fails(name):
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)

    monkeypatch.setattr("importlib.import_module", fails)
    message = rf"needs the package {package}: pip install 'jaxcurriculum\[{make.__name__}\]'"
    with pytest.raises(ImportError, match=message):
        make()
