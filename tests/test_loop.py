"""The loop: what is counted, what is tested, and when."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from counting_loop import ENV, LOOP, STUDENT, TASKS

from jaxcurriculum import LoopConfig, make_loop, teachers
from jaxcurriculum.testing.compiling import quick_jit
from jaxcurriculum.testing.laws import assert_equal

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
