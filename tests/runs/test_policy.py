"""A policy that was loaded is the one that was tested, and NumPy alone plays it, too."""

import dataclasses
import json
import pathlib
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy_policy import act as numpy_act
from numpy_policy import load as numpy_load
from rich.console import Console

from jaxcurriculum import LoopConfig, envs, make_loop, runs, teachers, tree
from jaxcurriculum.cli import main
from jaxcurriculum.records import level_key, random_seeds
from jaxcurriculum.rollout import RolloutConfig
from jaxcurriculum.runs.policy import policy_of
from jaxcurriculum.students import PpoConfig, population, ppo, succession
from jaxcurriculum.testing import probes

ROLLOUT = RolloutConfig(num_envs=8, num_steps=16)
SMALL = PpoConfig(hidden=(8,), minibatch_size=64)
GRU = dataclasses.replace(SMALL, memory="gru", memory_size=12)
TASKS = jnp.linspace(0, 1, 5)[:, None]


def small_loop(env, config, teacher=teachers.random):
    return loop_of(ppo(env, config, ROLLOUT), teacher)


def loop_of(student, teacher=teachers.random):
    return make_loop(teacher(student.task_space), student, TASKS, LoopConfig())


TRAINED = {
    "target": lambda: small_loop(probes.target(), SMALL),
    "remember": lambda: small_loop(probes.remember(), GRU),
    "two": lambda: loop_of(population(ppo(probes.target(), SMALL, ROLLOUT), 2)),
}


@pytest.fixture(scope="module", params=TRAINED)
def trained(request, tmp_path_factory):
    """A run from Python, with its loop: a policy without memory, one with, the first of two."""
    loop = TRAINED[request.param]()
    path = tmp_path_factory.mktemp("runs") / request.param
    options = {"num_seeds": 2, "first_seed": 3, "console": Console(quiet=True), "figures": False}
    return runs.train(loop, path, num_steps=500, **options), loop


def episode(env, policy, task, seed):
    """The return of one episode, step by step."""
    act, step = jax.jit(policy.act), jax.jit(env.step)
    level = env.generate(level_key(seed), task)
    state, timestep = env.reset(jax.random.key(0), level)
    memory, first, total, over = policy.initial_memory, True, 0.0, False
    while not over:
        memory, action = act(memory, timestep.obs, first)
        state, timestep = step(jax.random.key(0), level, state, action)
        total, first = total + float(timestep.reward), False
        over = timestep.terminated | timestep.truncated
    return total


@pytest.mark.parametrize("seed", [3, 4])
def test_it_gets_the_returns_of_the_last_evaluation(trained, seed):
    run, loop = trained
    policy = runs.load_policy(str(run.path), seed, loop)
    tests = run.evaluations()
    last = tests.filter(
        (tests["seed"] == seed) & (tests["evaluation"] == tests["evaluation"].max())
    )
    seeds = random_seeds(jax.random.key(0), len(TASKS))
    played = [episode(policy.source.environment, policy, *one) for one in zip(TASKS, seeds)]
    np.testing.assert_allclose(played, last["return"], atol=1e-6)


def test_only_what_it_reads_is_kept(trained):
    run, loop = trained
    names = set(runs.load_policy(run, loop=loop).weights)
    assert any("params" in name for name in names) and any("obs_moments" in name for name in names)
    left = ("optimiser", "value", "return_moments", "rollout", "tally", "count")
    assert not [name for name in names if any(word in name for word in left)]


def test_what_is_remembered_is_forgotten_where_an_episode_begins():
    policy = drawn(small_loop(probes.remember(), GRU).student)
    obs = tree.blank(policy.source.obs_shapes)
    full = jnp.ones_like(policy.initial_memory)
    anew, begun = policy.act(full, obs, True)[0], policy.act(policy.initial_memory, obs, False)[0]
    np.testing.assert_array_equal(anew, begun)
    assert np.abs(policy.act(full, obs, False)[0] - anew).max() > 1e-3


class Unsaved(runs.Run):
    """A run that was never written."""

    config, meta = {}, {}


def drawn(student, seed=0):
    """A policy of `student` with random weights of both signs; nothing is compiled for it."""
    state = tree.blank(jax.eval_shape(student.init, jax.random.key(0)))
    policy = policy_of(student, student.acting(state), Unsaved(pathlib.Path("nowhere")), 0)
    chance = np.random.default_rng(seed)
    weights = {name: 0.1 * normal(chance, leaf) for name, leaf in policy.weights.items()}
    return policy.replace(
        weights={name: abs(w) if "variance" in name else w for name, w in weights.items()}
    )


def normal(chance, leaf):
    return jnp.asarray(chance.normal(size=leaf.shape), jnp.float32)


def random_obs(chance, leaf):
    if leaf.dtype == jnp.uint8:
        return jnp.asarray(chance.integers(0, 256, leaf.shape), jnp.uint8)
    return 2 * normal(chance, leaf)


def pictured(env):
    """`env`, which shows a black picture."""

    def black(function):
        def shown(*given):
            state, timestep = function(*given)
            return state, timestep.replace(obs=jnp.zeros((16, 16, 1), jnp.uint8))

        return shown

    return dataclasses.replace(env, reset=black(env.reset), step=black(env.step))


WALKER = PpoConfig()
MAZE = PpoConfig(memory="gru", hidden=(32,), minibatch_size=2048)
PLAYED = {
    "a walker": lambda: ppo(envs.stump_tracks(), WALKER),
    "a pole": lambda: ppo(envs.cart_pole(), WALKER),
    "a maze, with a memory": lambda: ppo(
        envs.maze(), MAZE, RolloutConfig(num_envs=32, num_steps=256)
    ),
    "a picture, with an LSTM": lambda: ppo(
        pictured(probes.target()), dataclasses.replace(GRU, memory="lstm"), ROLLOUT
    ),
    "a target, with a beta policy": lambda: ppo(
        probes.target(), dataclasses.replace(SMALL, box_policy="beta"), ROLLOUT
    ),
    "a target, the first of two": lambda: population(ppo(probes.target(), SMALL, ROLLOUT), 2),
    "a target, one of two in turn": lambda: succession(ppo(probes.target(), SMALL, ROLLOUT), 2, 1),
    "a target, with two layers of S5": lambda: ppo(
        probes.target(), dataclasses.replace(GRU, memory="s5", memory_layers=2), ROLLOUT
    ),
}


@pytest.fixture(scope="module", params=PLAYED)
def policy(request):
    return drawn(PLAYED[request.param]())


def test_numpy_alone_plays_it(policy, tmp_path):
    path = runs.export_policy(policy, tmp_path / "policy.npz")
    header, weights, remembered = numpy_load(path)
    memory, chance = policy.initial_memory, np.random.default_rng(1)
    chosen = []
    for step in range(30):
        obs = jax.tree.map(lambda leaf: random_obs(chance, leaf), policy.source.obs_shapes)
        memory, action = policy.act(memory, obs, step == 0)
        remembered, ours = numpy_act(header, weights, remembered, jax.tree.leaves(obs))
        np.testing.assert_allclose(ours, action, atol=1e-5)
        if remembered is not None:
            np.testing.assert_allclose(remembered, memory, atol=1e-5)
        chosen.append(np.asarray(ours))
    assert len(np.unique(np.stack(chosen), axis=0)) > 1, "it acts on what it sees"


def test_the_header_says_what_is_in_it(policy, tmp_path):
    with np.load(runs.export_policy(policy, tmp_path / "policy.npz")) as file:
        header = json.loads(str(file["header"]))
        shapes = {name: list(file[name].shape) for name in file.files if name != "header"}
    assert {name: shapes[name] for name in header["weights"]} == header["weights"]
    assert set(shapes) == {*header["weights"], *header["memory"]}
    seen = [tuple(one["shape"]) for one in header["observation"]]
    assert seen == [leaf.shape for leaf in jax.tree.leaves(policy.source.obs_shapes)]
    assert header["action"]["kind"] in ("Box", "Discrete")


def test_it_can_be_mapped_and_differentiated():
    policy = drawn(small_loop(probes.target(), SMALL).student)
    batch = jnp.linspace(0, 1, 7)[:, None]
    mapped = jax.jit(jax.vmap(policy))(batch)
    np.testing.assert_allclose(mapped, jnp.stack([policy(obs) for obs in batch]), atol=1e-6)
    gradient = jax.grad(lambda policy: policy(batch[3])[0])(policy)
    last = gradient.weights["learner.params.policy.params.Dense_1.bias"]
    assert abs(policy(batch[3])[0]) < 1 and last.tolist() == [1.0], "its bias moves it one to one"


def test_a_key_samples():
    policy = drawn(small_loop(probes.remember(), SMALL).student)
    obs = tree.blank(policy.source.obs_shapes)
    sample = jax.jit(jax.vmap(lambda key: policy.act((), obs, True, key)[1]))
    assert 0 < np.mean(sample(jax.random.split(jax.random.key(0), 200))) < 1


@pytest.mark.usefixtures("no_figures")
def test_a_run_of_the_command_line_needs_no_loop(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    sizes = ("--student.rollout.num-envs", "8", "--student.rollout.num-steps", "16")
    parts = ("--env", "jaxcurriculum.testing.probes:remember", "--teacher", "random")
    policy = ("--student.hidden", "8", "--student.minibatch-size", "64", *sizes)
    length = ("--steps", "128", "--evaluate-every", "128", "--seeds", "1", "--name", "own")
    assert main.run(["train", *parts, *policy, *length]) == 0
    assert main.run(["export", "runs/own", "--out", "own.npz"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "own.npz"
    loaded = runs.load_policy("runs/own")
    with np.load("own.npz") as file:
        for name, weight in loaded.weights.items():
            np.testing.assert_array_equal(file[name], weight)
    assert main.run(["export", "runs/own", "--out", "own.txt"]) == 1
    assert "an .npz file in a folder that exists, got own.txt" in capsys.readouterr().err


def simulated(loop):
    student = dataclasses.replace(loop.student, act=None)
    return dataclasses.replace(loop, student=student)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"run": "nowhere"}, "nowhere holds no run"),
        ({"seed": 5}, "seed must be one of the run's, 3 to 4, got 5"),
        ({"seed": True}, "seed must be one of the run's, 3 to 4, got True"),
        ({"seed": "3"}, "seed must be one of the run's, 3 to 4, got '3'"),
        ({"loop": None}, "was made from Python: pass the loop"),
        ({"loop": simulated}, "has no policy: .*ppo is a simulated student"),
        ({"loop": lambda _: small_loop(probes.delayed(), SMALL)}, "is a run of another loop"),
        ({"run": "unsaved"}, "has no checkpoint yet"),
    ],
)
def test_what_cannot_be_loaded_is_said(trained, tmp_path, change, message):
    run, loop = trained
    if change.get("run") == "unsaved":
        shutil.copytree(run.path, tmp_path / "unsaved")
        shutil.rmtree(tmp_path / "unsaved" / "checkpoints")
    if callable(change.get("loop")):
        change = {"loop": change["loop"](loop)}
    asked = {"run": run, "loop": loop} | change
    if isinstance(asked["run"], str):
        asked["run"] = tmp_path / asked["run"]
    with pytest.raises(runs.RunError, match=message):
        runs.load_policy(**asked)


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda p: p(jnp.zeros((3, 1))), ValueError, r"target is \[1\], got \[3, 1\]; of a batch"),
        (lambda p: p({"x": 0.0}), ValueError, r"target is \[1\], got {'x': \[\]}"),
        (lambda p: drawn(memory_student())(0.0), TypeError, "has a memory: call policy.act"),
        (
            lambda _: runs.export_policy("x", "x.npz"),
            TypeError,
            "policy must be of the type Policy",
        ),
    ],
)
def test_what_is_no_observation_or_no_policy_is_said(call, error, message):
    with pytest.raises(error, match=message):
        call(drawn(small_loop(probes.target(), SMALL).student))


def memory_student():
    return small_loop(probes.remember(), GRU).student
