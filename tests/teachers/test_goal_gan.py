"""GoalGAN: how it proposes, labels and trains."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from goal_gan_runs import KEY, SMALL, SPACE, attempts

from jaxcurriculum import teachers
from jaxcurriculum.teachers import GoalGanConfig
from jaxcurriculum.testing.compiling import quick_jit
from jaxcurriculum.testing.laws import assert_equal


@functools.cache
def compiled(config):
    """init(), propose(seed, state, num) and learn(state, episodes) of the teacher with
    `config`, each compiled.
    """
    teacher = teachers.goal_gan(SPACE, config)
    propose = quick_jit(
        lambda seed, state, num: teacher.propose(jax.random.key(seed), state, num), static_argnums=2
    )
    learn = quick_jit(lambda state, episodes: teacher.update(KEY, state, episodes, None)[0])
    return functools.partial(quick_jit(teacher.init), KEY), propose, learn


def labels(state):
    """The (unit) tasks that have been labelled since the last training, and whether they are
    good.
    """
    num = int(state.labelled.num_rows)
    return np.asarray(state.labelled.values[:-1, :num]).T, np.asarray(
        state.labelled.values[-1, :num]
    )


def test_the_preset_is_the_published_one():
    config = GoalGanConfig.teach_my_agent()
    assert (
        config.noise,
        config.p_old,
        config.update_every,
        config.num_rollouts,
        config.num_iterations,
    ) == (0.1, 0.1, 100, 2, 250)
    assert (
        config.num_pretraining_tasks,
        config.pretrain_iterations,
        config.batch_size,
        config.learning_rate,
    ) == (1000, 500, 64, 1e-3)
    assert (config.min_success, config.max_success, config.min_distance) == (
        0.25,
        0.75,
        0.01,
    ) and config == GoalGanConfig()


@pytest.mark.parametrize(
    "bad",
    [
        {"noise": -0.1},
        {"p_old": 1.1},
        {"num_rollouts": 0},
        {"min_success": 0.8, "max_success": 0.7},
        {"update_every": 0},
        {"pretrain_iterations": -1},
        {"generator_hidden": ()},
        {"generator_hidden": 8},
        {"discriminator_hidden": (8, 0)},
        {"mastered_capacity": 0},
        {"open_slots": 0},
        {"learning_rate": float("nan")},
    ],
)
def test_bad_configurations_are_named(bad):
    with pytest.raises(ValueError, match=f"GoalGanConfig.*{next(reversed(bad))}"):
        GoalGanConfig(**bad)


def test_an_easy_task_outside_the_space_is_refused():
    with pytest.raises(ValueError, match="initial_mean"):
        teachers.goal_gan(SPACE, dataclasses.replace(SMALL, initial_mean=(0.0, 2.0, 7.0)))


def test_a_generated_task_is_proposed_so_many_times_in_a_row_over_rounds():
    init, propose, _ = compiled(dataclasses.replace(SMALL, num_rollouts=3))
    state, rounds = init(), []
    for seed, num in enumerate((7, 1, 1, 1, 1, 7)):
        state, proposals = propose(seed, state, num)
        rounds.append(proposals)
    proposals = jax.tree.map(lambda *x: np.concatenate(x), *rounds)
    np.testing.assert_array_equal(proposals.origin, np.arange(18) // 3)
    np.testing.assert_array_equal(proposals.tasks, np.repeat(proposals.tasks[::3], 3, axis=0))
    assert len(np.unique(proposals.tasks, axis=0)) == 6 and len(np.unique(proposals.seeds)) == 18
    assert (
        np.all(proposals.tasks[:, 1] == 2)
        and int(state.num_opened) == 6
        and int(state.num_unproposed) == 0
    )


def test_attempts_of_a_task_in_different_rounds_are_judged_together():
    init, propose, learn = compiled(SMALL)
    state, first = propose(1, init(), 10)  # tasks 0, 0, 1, 1, 2, 2, ...
    solved = jnp.array([True, False, True, False, False, False, False, False, False, False])
    state = learn(state, attempts(first, solved, jnp.arange(10) % 2 == 0))
    assert int(state.labelled.num_rows) == 0
    state, second = propose(2, state, 10)
    assert second.origin.tolist() == [5, 5, 6, 6, 7, 7, 8, 8, 9, 9]
    late = first.replace(
        origin=jnp.array([1, 0, 0, 1, 2, 2, -1, -1, -1, -1])
    )  # the third attempts at tasks 0, 1 and 2 come too late
    state = learn(state, attempts(late, late.origin == 1))
    tasks, good = labels(state)
    np.testing.assert_allclose(
        tasks, jax.vmap(SPACE.to_unit)(first.tasks[jnp.array([2, 0, 4])])[:, ::2], atol=1e-6
    )
    np.testing.assert_array_equal(good, [0, 1, 0])
    assert int(state.mastered.num_rows) == 1
    np.testing.assert_allclose(state.mastered.values[:, :1].T, tasks[:1])


def test_a_task_that_newer_ones_have_pushed_out_is_not_judged():
    init, propose, learn = compiled(SMALL)
    state, old = propose(1, init(), 10)
    for seed in range(4):
        state, new = propose(seed, state, 10)
    assert_equal(learn(state, attempts(old, True)), state)
    assert int(learn(state, attempts(new, True)).labelled.num_rows) == 5
    assert_equal(learn(state, attempts(new.replace(origin=jnp.arange(10) - 10), True)), state)
    assert_equal(learn(state, attempts(new.replace(origin=jnp.arange(10) + 25), True)), state)


def test_an_infinite_return_counts_as_no_attempt():
    init, propose, learn = compiled(SMALL)
    state, proposals = propose(1, init(), 10)
    infinite = jnp.where(jnp.arange(10) < 5, jnp.nan, jnp.inf)
    assert_equal(learn(state, attempts(proposals, True).replace(returns=infinite)), state)


def test_mastered_tasks_keep_their_distance_and_come_back():
    init, propose, learn = compiled(
        dataclasses.replace(SMALL, p_old=1.0, noise=0.0, min_distance=0.05, open_slots=32)
    )
    state, proposals = propose(1, init(), 40)
    assert set(proposals.origin.tolist()) == set(range(20)), "nothing is mastered yet"
    state = learn(state, attempts(proposals, jnp.arange(40) < 30))
    num = int(state.mastered.num_rows)
    kept = np.asarray(state.mastered.values[:, :num]).T
    apart = np.linalg.norm(kept[:, None] - kept[None], axis=-1) + np.eye(num)
    assert 1 < num <= 10 and np.all(apart > 0.05 * np.sqrt(2))
    _, proposals = propose(2, state, 40)
    tasks = np.asarray(jax.vmap(SPACE.to_unit)(proposals.tasks))[:, ::2]
    assert np.all(proposals.origin == -1)
    assert np.all(np.min(np.linalg.norm(tasks[:, None] - kept[None], axis=-1), axis=1) < 1e-6)


def test_networks_change_in_a_training_with_a_good_task_alone():
    init, propose, learn = compiled(SMALL)
    start = init()
    for solved, num_trainings in ((False, 0), (True, 0), (jnp.arange(10) % 2 == 0, 1)):
        state = start
        for round in range(4):
            state, proposals = propose(round, state, 10)
            before, state = state, learn(state, attempts(proposals, solved))
            assert int(state.labelled.num_rows) == 5 * (round + 1) % 20
            if round < 3 or num_trainings == 0:
                assert_equal(state.gan, before.gan)
        assert int(state.num_trainings) == num_trainings
    changed = jax.tree.map(lambda new, old: bool(jnp.any(new != old)), state.gan, start.gan)
    assert all(jax.tree.leaves(changed)), changed


def test_seeds_train_alone():
    """Of two seeds under vmap only the one with a good task is trained, and as it is without
    the other.
    """
    init, propose, learn = compiled(dataclasses.replace(SMALL, update_every=5))
    state, proposals = propose(1, init(), 10)
    solved = jnp.stack([jnp.zeros(10, bool), jnp.arange(10) % 2 == 0])
    episodes = jax.vmap(lambda solved: attempts(proposals, solved))(solved)
    teacher = teachers.goal_gan(SPACE, dataclasses.replace(SMALL, update_every=5))
    both = quick_jit(jax.vmap(lambda episodes: teacher.update(KEY, state, episodes, None)[0]))(
        episodes
    )
    assert both.num_trainings.tolist() == [0, 1]
    assert_equal(jax.tree.map(lambda x: x[0], both.gan), state.gan)
    alone = learn(state, attempts(proposals, solved[1]))
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x[1], y, atol=1e-5), both.gan, alone.gan)
