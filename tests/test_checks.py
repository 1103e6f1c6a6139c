"""Roles and test tasks that break their contract: errors that name the leaf."""

import dataclasses

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from counting_loop import ENV, LOOP, ROLLOUT, STUDENT, STUDENT_CONFIG, TASKS

from jaxcurriculum import LoopConfig, make_loop, map_seeds, teachers
from jaxcurriculum.checks import _as_dtype
from jaxcurriculum.students import ppo
from jaxcurriculum.testing import probes
from jaxcurriculum.testing.compiling import quick_jit
from jaxcurriculum.testing.laws import assert_equal


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
        ([[0.2], [0.8, 0.9]], r"each task must be float32\[1\]"),
        ([["low"], ["high"]], r"each task must be float32\[1\]: could not convert"),
        ([[True], [False]], r"each task must be float32\[1\], got bool\[1\]"),
        ([0.2, 0.8], r"each task must be float32\[1\], got float32\[\]"),
        ([], "must hold at least one task, got none"),
        ([[0.5], [1.5]], r"\[1\] = \[1.5\] lies outside"),
    ],
)
def test_what_are_no_test_tasks_is_refused(given, message):
    with pytest.raises(ValueError, match=f"test_tasks.*{message}"):
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


@pytest.mark.slow
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
    advance = quick_jit(chex.assert_max_traces(loop.advance, n=1))
    state = loop.init(jax.random.key(0))
    after, report = advance(state, jnp.int32(0))
    again, _ = advance(after, jnp.int32(1))
    assert not any(jax.typeof(leaf).weak_type for leaf in jax.tree.leaves((state, after, again)))
    honest_loop = make_loop(honest, STUDENT, TASKS)
    _, expected = quick_jit(honest_loop.advance)(
        quick_jit(honest_loop.init)(jax.random.key(0)), jnp.int32(0)
    )
    assert_equal(report.episodes, expected.episodes)


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
