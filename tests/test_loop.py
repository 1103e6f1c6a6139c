"""The loop: what is counted, seeds over devices bit for bit, errors that name the leaf."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental.compilation_cache import compilation_cache

from jaxcurriculum import LoopConfig, make_loop, map_seeds, teachers
from jaxcurriculum.checks import _as_dtype
from jaxcurriculum.rollout import RolloutConfig
from jaxcurriculum.students import PpoConfig, ppo
from jaxcurriculum.testing import probes
from jaxcurriculum.testing.compiling import quick_jit
from jaxcurriculum.testing.laws import assert_equal

ENV = probes.counting()
ROLLOUT = RolloutConfig(num_envs=8, num_steps=16, pool_size=64)
STUDENT_CONFIG = PpoConfig(hidden=(8,), minibatch_size=64)
STUDENT = ppo(ENV, STUDENT_CONFIG, ROLLOUT)
TASKS = jnp.array([[0.2], [0.8]])
LOOP = make_loop(
    teachers.random(ENV.task_space),
    STUDENT,
    TASKS,
    LoopConfig(rounds_per_evaluation=2, num_test_episodes=3),
)
START = quick_jit(LOOP.init)


def test_advance_is_rounds_then_one_evaluation():
    state = START(jax.random.key(0))
    advanced, report = quick_jit(LOOP.advance)(state, jnp.int32(0))
    for round in range(2):
        state, episodes = quick_jit(LOOP.round)(state, jnp.int32(round))
        assert_equal(episodes, jax.tree.map(lambda x, round=round: x[round], report.episodes))
    assert_equal(state.student.learner.params, advanced.student.learner.params)
    assert report.evaluation.returns.shape == (2 * 3,)
    assert report.student["entropy"].shape == (2,)
    assert LOOP.steps_per_advance == 2 * 8 * 16


def test_a_trained_student_may_be_taught_on():
    trained, _ = quick_jit(LOOP.round)(START(jax.random.key(0)), jnp.int32(0))
    taken = quick_jit(LOOP.init)(jax.random.key(1), trained.student)
    assert_equal(taken.student, trained.student)
    assert_equal(taken.teacher, START(jax.random.key(1)).teacher)


def test_run_is_a_scan_of_advances():
    state = START(jax.random.key(1))
    end, reports = quick_jit(LOOP.run, static_argnums=2)(state, jnp.int32(0), 2)
    for i in range(2):
        state, report = quick_jit(LOOP.advance)(state, jnp.int32(2 * i))
        np.testing.assert_allclose(
            report.evaluation.returns, reports.evaluation.returns[i], rtol=1e-5
        )
    assert jax.tree.structure(end) == jax.tree.structure(state)


def test_test_levels_are_frozen_unless_redrawn():
    def returns(config):
        loop = make_loop(teachers.random(ENV.task_space), STUDENT, TASKS, config)
        _, reports = quick_jit(loop.run, static_argnums=2)(
            quick_jit(loop.init)(jax.random.key(2)), jnp.int32(0), 2
        )
        return np.asarray(reports.evaluation.returns)

    frozen, redrawn = returns(LoopConfig()), returns(LoopConfig(redraw_test_levels=True))
    np.testing.assert_array_equal(frozen[0], frozen[1])
    assert (redrawn[0] != redrawn[1]).all()


@pytest.mark.slow
@pytest.mark.parametrize("group", [1, 2])
def test_seeds_are_the_same_bit_for_bit_whatever_the_devices_and_the_other_seeds(group):
    keys = jax.random.split(jax.random.key(3), 4)
    states = quick_jit(jax.vmap(LOOP.init))(keys)
    everywhere = map_seeds(LOOP.advance, 4, group)(states, jnp.int32(0))
    one_device = map_seeds(LOOP.advance, 4, group, devices=jax.devices()[:1])(states, jnp.int32(0))
    first_group = map_seeds(LOOP.advance, group, group)(
        jax.tree.map(lambda x: x[:group], states), jnp.int32(0)
    )
    assert len(everywhere[1].evaluation.returns.sharding.device_set) == 2
    assert_equal(everywhere, one_device)
    assert_equal(jax.tree.map(lambda x: x[:group], everywhere), first_group)


@pytest.mark.slow
def test_another_group_agrees_closely_over_the_first_round():
    states = quick_jit(jax.vmap(LOOP.init))(jax.random.split(jax.random.key(4), 2))
    (one, _), (two, _) = (map_seeds(LOOP.round, 2, group)(states, jnp.int32(0)) for group in (1, 2))
    for x, y in zip(
        jax.tree.leaves(one.student.learner.params), jax.tree.leaves(two.student.learner.params)
    ):
        np.testing.assert_allclose(x, y, atol=1e-4)


def _set(options):
    for name, value in options.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()


@pytest.fixture
def empty_cache(tmp_path):
    """A folder that alone keeps compiled programs, all of them."""
    options = {
        "jax_compilation_cache_dir": str(tmp_path),
        "jax_persistent_cache_min_compile_time_secs": 0.0,
    }
    before = {name: jax.config.values[name] for name in options}
    _set(options)
    yield tmp_path
    _set(before)


def test_a_study_compiles_once_for_all_devices(empty_cache):
    """The first device compiles, and what it leaves in the cache is loaded onto the second."""
    advance = map_seeds(LOOP.advance, 2)
    states = map_seeds(LOOP.init, 2)(jax.random.split(jax.random.key(5), 2))
    events = []
    listen = lambda event, **_: events.append(event)
    jax.monitoring.register_event_listener(listen)
    for i in range(3):
        states, report = advance(states, jnp.int32(2 * i))
    jax.monitoring.unregister_event_listener(listen)
    assert len(report.evaluation.returns.sharding.device_set) == 2
    assert len(list(empty_cache.glob("jit_program-*-cache"))) == 2, "init and advance"
    assert events.count("/jax/compilation_cache/cache_hits") == 1


def test_what_calls_back_into_python_runs_on_each_device():
    seen = []

    def double(x):
        jax.debug.callback(lambda value: seen.append(float(value)), x)
        return 2 * x

    doubled = map_seeds(double, 2)(jnp.array([1.0, 2.0]))
    jax.effects_barrier()
    assert doubled.tolist() == [2.0, 4.0] and sorted(seen) == [1.0, 2.0]


def test_other_shapes_are_another_program():
    total = map_seeds(lambda x, y: x.sum() + y, 2)
    assert total(jnp.ones((2, 3)), 1).tolist() == [4.0, 4.0]
    assert total(jnp.ones((2, 5)), 1.5).tolist() == [6.5, 6.5]


def test_tasks_outside_the_space_are_counted_not_repaired():
    honest = teachers.random(ENV.task_space)

    def propose(key, state, num):
        state, proposals = honest.propose(key, state, num)
        return state, proposals.replace(tasks=proposals.tasks.at[:3].add(1.0))

    loop = make_loop(dataclasses.replace(honest, propose=propose), STUDENT, TASKS)
    _, report = quick_jit(loop.advance)(quick_jit(loop.init)(jax.random.key(0)), jnp.int32(0))
    assert int(report.counters.out_of_space) == 3


def test_probe_evaluates_the_student_as_it_is_now_and_its_steps_are_counted():
    honest = teachers.random(ENV.task_space)

    def update(key, state, episodes, context):
        probed = context.probe(key, TASKS, jnp.arange(2, dtype=jnp.uint32), 1, True)
        return {"returns": probed.returns, "num_steps": context.num_steps}, jnp.sum(probed.lengths)

    teacher = dataclasses.replace(
        honest,
        init=lambda key: {"returns": jnp.zeros(2), "num_steps": jnp.int32(0)},
        update=update,
        report=lambda state: state,
    )
    loop = make_loop(teacher, STUDENT, TASKS, LoopConfig(rounds_per_evaluation=3))
    state, report = quick_jit(loop.advance)(quick_jit(loop.init)(jax.random.key(0)), jnp.int32(0))
    assert int(report.counters.probe_steps) == 3 * int(sum(1 + jnp.floor(TASKS[:, 0] * 7)))
    assert int(report.teacher["num_steps"]) == 3 * STUDENT.steps_per_round
    now = STUDENT.evaluate(
        jax.random.key(9), state.student, TASKS, jnp.arange(2, dtype=jnp.uint32), 1, True
    )
    np.testing.assert_allclose(report.teacher["returns"], now.returns, rtol=1e-6)


def broken(**functions):
    return lambda: ppo(dataclasses.replace(ENV, **functions))


def with_complex(function):
    def changed(*given):
        state, timestep = function(*given)
        return state, timestep.replace(obs=jnp.zeros(1, jnp.complex64))

    return changed


def with_state(state):
    return lambda key, level, old, action: (state(old), ENV.step(key, level, old, action)[1])


@pytest.mark.parametrize(
    "make, words",
    [
        (
            broken(step=with_state(lambda s: jnp.stack([s, s]))),
            ["state through step", "float32[]", "float32[2]"],
        ),
        (
            broken(step=with_state(lambda s: s.astype(jnp.int32))),
            ["state through step", "float32[]", "int32[]"],
        ),
        (broken(step=with_state(lambda s: {"s": s})), ["state through step", "missing afterwards"]),
        (broken(step=lambda key, level, state, action: state), ["step", "(state, TimeStep)"]),
        (
            broken(reset=lambda key, level: (0.0 * jnp.ones(()), ENV.reset(key, level)[0])),
            ["reset", "(state, TimeStep)"],
        ),
        (broken(max_episode_steps=2.5), ["max_episode_steps must be a positive integer, got 2.5"]),
        (broken(return_range=(1, 0)), ["return_range must be None or (low, high)", "got (1, 0)"]),
        (broken(action_space=4), ["action_space must be a space, as Box or Discrete, got 4"]),
        (
            broken(reset=with_complex(ENV.reset), step=with_complex(ENV.step)),
            ["observation: leaf (itself) must be real, got complex64[1]"],
        ),
    ],
)
def test_an_environment_that_breaks_its_contract_is_named(make, words):
    with pytest.raises(ValueError) as error:
        make()
    for word in ["'counting'", *words]:
        assert word in str(error.value)


def test_a_teacher_that_breaks_its_contract_is_named():
    honest = teachers.random(ENV.task_space)

    def grows(key, state, episodes, context):
        return {"extra": jnp.zeros(3)}, jnp.int32(0)

    with pytest.raises(ValueError, match="'mine', state through update.*extra.*new afterwards"):
        make_loop(
            dataclasses.replace(honest, name="mine", init=lambda key: {}, update=grows),
            STUDENT,
            TASKS,
        )
    other = teachers.random(probes.Box(names=("x", "y"), low=(0.0, 0.0), high=(1.0, 1.0)))
    with pytest.raises(
        ValueError,
        match=r"proposals: leaf .tasks must stay float32\[64, 1\], but becomes float32\[64, 2\]",
    ):
        make_loop(other, STUDENT, TASKS)


@pytest.mark.parametrize(
    "given", [[[0], [1]], ((0.0,), (1.0,)), np.array([[0.0], [1.0]]), np.array([[0], [1]])]
)
def test_test_tasks_are_any_numbers(given):
    loop = make_loop(teachers.random(ENV.task_space), STUDENT, given)
    assert loop.test_tasks.dtype == jnp.float32 and loop.test_tasks.tolist() == [[0.0], [1.0]]


@pytest.mark.parametrize(
    "given, message",
    [
        ([[0.2], [0.8, 0.9]], r"must be a batch of tasks, each float32\[1\]"),
        ([["low"], ["high"]], r"must be a batch of tasks, each float32\[1\]"),
        ([[True], [False]], r"one task: leaf .* must stay float32\[1\], but becomes bool\[1\]"),
        ([0.2, 0.8], r"must stay float32\[1\], but becomes float32\[\]"),
        ([], "must hold at least one task, got none"),
    ],
)
def test_what_are_no_test_tasks_is_refused(given, message):
    with pytest.raises(ValueError, match=f"test_tasks.* {message}"):
        make_loop(teachers.random(ENV.task_space), STUDENT, given)


def test_tasks_of_integers_are_cast_only_where_they_stay_what_they_are():
    task = jax.ShapeDtypeStruct((2,), jnp.int32)
    assert (
        _as_dtype(task, [[1, 2]]).dtype == jnp.int32
        and _as_dtype(task, [[1.0, 2.0]]).dtype == jnp.int32
    )
    assert _as_dtype(task, [[1, 2.5]]).dtype == float and _as_dtype(task, [[1, 2**40]]).dtype == int


def weak_environment():
    """`probes.counting` with a state, a reward and an end in Python's own numbers."""

    def reset(key, level):
        return {"time": 0, "speed": 0.5}, ENV.reset(key, level)[1].replace(
            reward=0.0, terminated=False
        )

    def step(key, level, state, action):
        moved = {"time": state["time"] + 1, "speed": jnp.where(state["time"] > 3, 0.5, 1.0)}
        _, timestep = ENV.step(key, level, state["time"].astype(jnp.float32), action)
        return moved, timestep

    return dataclasses.replace(ENV, reset=reset, step=step)


def test_weak_types_of_ones_own_roles_are_cast_and_compile_once():
    student = ppo(weak_environment(), STUDENT_CONFIG, ROLLOUT)
    honest = teachers.random(ENV.task_space)
    update = lambda key, state, episodes, context: (
        jnp.where(episodes.valid.any(), 0.5, 1.0),
        jnp.int32(0),
    )
    teacher = dataclasses.replace(
        honest, init=lambda key: 0.5, update=update, report=lambda state: state
    )
    loop = make_loop(teacher, student, TASKS)
    advance, state = quick_jit(loop.advance), loop.init(jax.random.key(0))
    after, report = advance(state, jnp.int32(0))
    again, _ = advance(after, jnp.int32(1))
    assert advance._cache_size() == 1
    assert not any(jax.typeof(leaf).weak_type for leaf in jax.tree.leaves((state, after, again)))
    honest_loop = make_loop(honest, STUDENT, TASKS)
    _, expected = quick_jit(honest_loop.advance)(
        quick_jit(honest_loop.init)(jax.random.key(0)), jnp.int32(0)
    )
    assert_equal(report.episodes, expected.episodes)


def test_test_tasks_outside_the_space_are_refused():
    with pytest.raises(ValueError, match=r"test_tasks\[1\] = \[1.5\] lies outside"):
        make_loop(teachers.random(ENV.task_space), STUDENT, jnp.array([[0.5], [1.5]]))


def test_sizes_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="num_seeds=3 for group=2"):
        map_seeds(LOOP.advance, 3, 2)
    with pytest.raises(ValueError, match="at least one device, got none"):
        map_seeds(LOOP.advance, 2, devices=[])
    with pytest.raises(ValueError, match="rounds_per_evaluation.*got 0"):
        LoopConfig(rounds_per_evaluation=0)


def test_roles_that_are_something_else_are_refused():
    with pytest.raises(
        TypeError, match="teacher must be a Teacher, as its factory returns it, got function"
    ):
        make_loop(teachers.random, STUDENT, TASKS)
    with pytest.raises(
        TypeError, match="student must be a Student, as its factory returns it, got Teacher"
    ):
        make_loop(LOOP.teacher, LOOP.teacher, TASKS)
