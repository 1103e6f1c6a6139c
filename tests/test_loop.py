"""The loop: what is counted, seeds over devices bit for bit, errors that name the leaf."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import probes
import pytest
from laws import assert_equal

from jaxcurriculum import LoopConfig, make_loop, map_seeds, teachers
from jaxcurriculum.rollout import RolloutConfig
from jaxcurriculum.students import PpoConfig, ppo

ENV = probes.counting()
STUDENT = ppo(ENV, PpoConfig(rollout=RolloutConfig(num_envs=8, num_steps=16, pool_size=64), hidden=(8,), minibatch_size=64))
TASKS = jnp.array([[0.2], [0.8]])
LOOP = make_loop(teachers.random(ENV.task_space), STUDENT, TASKS, LoopConfig(rounds_per_evaluation=2, num_test_episodes=3))


def test_advance_is_rounds_then_one_evaluation():
    state = LOOP.init(jax.random.key(0))
    advanced, report = jax.jit(LOOP.advance)(state, jnp.int32(0))
    for round in range(2):
        state, episodes = jax.jit(LOOP.round)(state, jnp.int32(round))
        assert_equal(episodes, jax.tree.map(lambda x, round=round: x[round], report.episodes))
    assert_equal(state.student.params, advanced.student.params)
    assert report.evaluation.returns.shape == (2 * 3,)
    assert report.student["entropy"].shape == (2,)
    assert LOOP.steps_per_advance == 2 * 8 * 16


def test_run_is_a_scan_of_advances():
    state = LOOP.init(jax.random.key(1))
    end, reports = jax.jit(LOOP.run, static_argnums=2)(state, jnp.int32(0), 2)
    for i in range(2):
        state, report = jax.jit(LOOP.advance)(state, jnp.int32(2 * i))
        np.testing.assert_allclose(report.evaluation.returns, reports.evaluation.returns[i], rtol=1e-5)
    assert jax.tree.structure(end) == jax.tree.structure(state)


def test_test_levels_are_frozen_unless_redrawn():
    def returns(config):
        loop = make_loop(teachers.random(ENV.task_space), STUDENT, TASKS, config)
        _, reports = jax.jit(loop.run, static_argnums=2)(loop.init(jax.random.key(2)), jnp.int32(0), 2)
        return np.asarray(reports.evaluation.returns)

    frozen, redrawn = returns(LoopConfig()), returns(LoopConfig(redraw_test_levels=True))
    np.testing.assert_array_equal(frozen[0], frozen[1])
    assert (redrawn[0] != redrawn[1]).all()


@pytest.mark.parametrize("group", [1, 2])
def test_seeds_are_the_same_bit_for_bit_whatever_the_devices_and_the_other_seeds(group):
    keys = jax.random.split(jax.random.key(3), 4)
    states = jax.jit(jax.vmap(LOOP.init))(keys)
    everywhere = map_seeds(LOOP.advance, 4, group)(states, jnp.int32(0))
    one_device = map_seeds(LOOP.advance, 4, group, devices=jax.devices()[:1])(states, jnp.int32(0))
    first_group = map_seeds(LOOP.advance, group, group)(jax.tree.map(lambda x: x[:group], states), jnp.int32(0))
    assert len(everywhere[1].evaluation.returns.sharding.device_set) == 2
    assert_equal(everywhere, one_device)
    assert_equal(jax.tree.map(lambda x: x[:group], everywhere), first_group)


def test_another_group_agrees_closely_over_the_first_round():
    states = jax.jit(jax.vmap(LOOP.init))(jax.random.split(jax.random.key(4), 2))
    (one, _), (two, _) = (map_seeds(LOOP.round, 2, group)(states, jnp.int32(0)) for group in (1, 2))
    for x, y in zip(jax.tree.leaves(one.student.params), jax.tree.leaves(two.student.params)):
        np.testing.assert_allclose(x, y, atol=1e-4)


def test_a_study_compiles_once():
    advance = map_seeds(LOOP.advance, 2)
    states = map_seeds(LOOP.init, 2)(jax.random.split(jax.random.key(5), 2))
    for i in range(3):
        states, _ = advance(states, jnp.int32(2 * i))
    assert advance.program._cache_size() == len(jax.devices())


def test_tasks_outside_the_space_are_counted_not_repaired():
    honest = teachers.random(ENV.task_space)

    def propose(key, state, num):
        state, proposals = honest.propose(key, state, num)
        return state, proposals.replace(tasks=proposals.tasks.at[:3].add(1.0))

    loop = make_loop(dataclasses.replace(honest, propose=propose), STUDENT, TASKS)
    _, report = jax.jit(loop.advance)(loop.init(jax.random.key(0)), jnp.int32(0))
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
    state, report = jax.jit(loop.advance)(loop.init(jax.random.key(0)), jnp.int32(0))
    assert int(report.counters.probe_steps) == 3 * int(sum(1 + jnp.floor(TASKS[:, 0] * 7)))
    assert int(report.teacher["num_steps"]) == 3 * STUDENT.steps_per_round
    now = STUDENT.evaluate(jax.random.key(9), state.student, TASKS, jnp.arange(2, dtype=jnp.uint32), 1, True)
    np.testing.assert_allclose(report.teacher["returns"], now.returns, rtol=1e-6)


def broken(**functions):
    return lambda: ppo(dataclasses.replace(ENV, **functions))


def with_state(state):
    return lambda key, level, old, action: (state(old), ENV.step(key, level, old, action)[1])


@pytest.mark.parametrize(
    "make, words",
    [
        (broken(step=with_state(lambda s: jnp.stack([s, s]))), ["state through step", "float32[]", "float32[2]"]),
        (broken(step=with_state(lambda s: s.astype(jnp.int32))), ["state through step", "float32[]", "int32[]"]),
        (broken(step=with_state(lambda s: {"s": s})), ["state through step", "missing afterwards"]),
        (broken(obs_dim=3), ["time step of reset", ".obs", "float32[3]", "float32[1]"]),
        (broken(step=lambda key, level, state, action: state), ["step", "(state, TimeStep)"]),
        (broken(reset=lambda key, level: (0.0 * jnp.ones(()), ENV.reset(key, level)[0])), ["reset", "(state, TimeStep)"]),
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
        make_loop(dataclasses.replace(honest, name="mine", init=lambda key: {}, update=grows), STUDENT, TASKS)
    with pytest.raises(ValueError, match="'mine', state.*weakly typed"):
        make_loop(dataclasses.replace(honest, name="mine", init=lambda key: jnp.full((3,), 0.5)), STUDENT, TASKS)
    other = teachers.random(probes.Box(names=("x", "y"), low=(0.0, 0.0), high=(1.0, 1.0)))
    with pytest.raises(ValueError, match=r"proposals: leaf .tasks must stay float32\[64, 1\], but becomes float32\[64, 2\]"):
        make_loop(other, STUDENT, TASKS)


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
    with pytest.raises(TypeError, match="teacher must be a Teacher, as its factory returns it, got function"):
        make_loop(teachers.random, STUDENT, TASKS)
    with pytest.raises(TypeError, match="student must be a Student, as its factory returns it, got Teacher"):
        make_loop(LOOP.teacher, LOOP.teacher, TASKS)
