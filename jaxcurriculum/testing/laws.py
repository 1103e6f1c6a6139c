"""Laws that every teacher, student and environment keeps; each takes one role and asserts.

`tests/test_laws*.py` run them over tables. A role of your own passes if its functions keep the
contract of `roles.py`: run these over it. Those of a teacher take a `TeacherTrial(teacher, space)`,
those of an environment an `EnvironmentTrial(env)`, which are compiled once for all of them.
"""

from __future__ import annotations

import chex
import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum import Loop, Student
from jaxcurriculum.checks import check_environment, check_same
from jaxcurriculum.records import PyTree
from jaxcurriculum.testing.axes import ignored_axes
from jaxcurriculum.testing.compiling import quick_jit
from jaxcurriculum.testing.trials import EVERY_SLOT, NUM, NUM_ROUNDS, EnvironmentTrial, TeacherTrial


def assert_equal(a: PyTree, b: PyTree) -> None:
    """The same structure and the same numbers; nan equals nan."""
    chex.assert_trees_all_equal(a, b)


def assert_close(a: PyTree, b: PyTree, tolerance: float) -> None:
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        if jnp.issubdtype(x.dtype, jax.dtypes.prng_key):
            x, y = jax.random.key_data(x), jax.random.key_data(y)
        x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
        np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance)


def tasks_stay_in_the_space(trial: TeacherTrial) -> None:
    """And a seed comes twice only where its level is replayed, task and all."""
    each = [round.proposals for round in trial.rounds]
    proposals = jax.tree.map(lambda *leaves: np.concatenate(leaves), *each)
    assert bool(jnp.all(jax.vmap(trial.space.contains)(proposals.tasks)))
    seeds = proposals.seeds.reshape(-1, 1)
    leaves = [leaf.reshape(len(seeds), -1) for leaf in jax.tree.leaves(proposals.tasks)]
    levels = np.concatenate([seeds, *leaves], axis=1, dtype=np.float64)
    num_levels = len(np.unique(levels, axis=0))
    assert proposals.seeds.dtype == np.uint32 and len(np.unique(seeds)) == num_levels > 300
    assert np.all(np.isfinite(proposals.weight) & (proposals.weight >= 0))


def invalid_slots_change_nothing(trial: TeacherTrial) -> None:
    """Neither a round of nothing but nan, nor what stands in invalid slots beside valid ones."""
    nothing = trial.next_round(valid=~EVERY_SLOT)
    assert_equal(_without_keys(nothing.state), _without_keys(nothing.proposed))
    assert_equal(trial.next_round().state, trial.next_round(blank=np.float32(0.5)).state)


def broken_returns_are_as_if_they_were_not_there(trial: TeacherTrial) -> None:
    """An episode with a return of nan, infinity or beyond all measure counts as none."""
    broken = np.arange(NUM) % 3 == 0
    absent = trial.next_round(valid=~broken).state
    for number in (np.nan, np.inf, -np.inf, 3e38, -3e38):
        round = trial.next_round(broken=broken, broken_return=np.float32(number))
        assert_equal(round.state, absent)


def _without_keys(state: PyTree) -> list[jax.Array]:
    leaves = jax.tree.leaves(state)
    return [leaf for leaf in leaves if not jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)]


def is_traced_once(trial: TeacherTrial) -> None:
    """State and probe steps keep their shapes and types, so that one trace serves every round."""
    state = trial.init(jax.random.key(0))
    for round in trial.rounds:
        check_same(trial.name, state, round.proposed)
        check_same(trial.name, state, round.state)
        assert round.probe_steps.shape == () and round.probe_steps.dtype == jnp.int32
        assert int(round.probe_steps) >= 0
    assert trial.num_traces == 1


def vmapped_equals_a_loop(trial: TeacherTrial) -> None:
    keys = jax.random.split(jax.random.key(5), (9, 3))
    alone = [trial.init(key) for key in keys[0]]
    together = _stack(alone)
    for round, round_keys in enumerate(keys[1:]):
        ours = trial.rounds_together(round_keys, together, np.int32(round))
        theirs = [trial.round(*each, round) for each in zip(round_keys, alone)]
        assert_close(ours, _stack(theirs), 1e-3)
        together = ours.state
        alone = [each.state for each in theirs]


def _stack(trees: list[PyTree]) -> PyTree:
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)


def a_checkpoint_of_a_teacher_changes_nothing(trial: TeacherTrial) -> None:
    """The whole state goes through plain NumPy arrays, as on a disk, between two rounds."""
    before, after = trial.rounds[7:9]
    key = jax.random.split(jax.random.key(1), NUM_ROUNDS)[8]
    assert_equal(trial.round(key, through_numpy(before.state), 8), after)


def a_checkpoint_in_the_middle_changes_nothing(loop: Loop) -> None:
    """The same between two advances of a teacher and a student."""
    advance = quick_jit(loop.advance)
    state, _ = advance(quick_jit(loop.init)(jax.random.key(6)), jnp.int32(0))
    round = jnp.int32(loop.config.rounds_per_evaluation)
    assert_equal(advance(through_numpy(state), round), advance(state, round))


def through_numpy(tree: PyTree) -> PyTree:
    """The same values in new arrays, made of nothing but numbers and the tree's structure."""

    def copy(leaf: jax.Array) -> jax.Array:
        if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            return jax.random.wrap_key_data(jnp.array(np.array(jax.random.key_data(leaf))))
        return jnp.array(np.array(leaf))

    return jax.tree.map(copy, tree)


def evaluating_teaches_nothing_and_keeps_the_order(student: Student) -> None:
    """`evaluate` gives valid records, task-major, with the tasks and seeds asked for."""
    state = student.init(jax.random.key(7))
    tasks = jax.vmap(student.task_space.sample)(jax.random.split(jax.random.key(8), 5))
    seeds = jnp.arange(5, dtype=jnp.uint32)
    evaluate = quick_jit(student.evaluate, static_argnums=(4, 5))
    episodes = evaluate(jax.random.key(9), state, tasks, seeds, 3, True)
    num = 3 * (1 + int(episodes.learner.max()))
    assert episodes.valid.shape == (5 * num,) and bool(episodes.valid.all())
    repeated = jax.tree.map(lambda leaf: jnp.repeat(leaf, num, axis=0), (tasks, seeds))
    assert_equal((episodes.tasks, episodes.seeds), repeated)


def keeps_its_contract(trial: EnvironmentTrial) -> None:
    """Shapes and dtypes, and finite numbers under random actions on random tasks."""
    check_environment(trial.env)
    first, timesteps = trial.together(jax.random.split(jax.random.key(10), 16))
    for leaf in jax.tree.leaves((first, timesteps)):
        assert bool(jnp.all(jnp.isfinite(leaf)))
    is_over = bool(jnp.any(first.terminated | first.truncated))
    assert not is_over, "an episode does not begin at its end"
    assert bool(jnp.all(first.reward == 0))


def the_same_level_replays_the_same_episode(trial: EnvironmentTrial) -> None:
    assert_equal(trial.alone(jax.random.key(11)), trial.alone(jax.random.key(11)))


def mapped_equals_single(trial: EnvironmentTrial) -> None:
    """A vmap, and one of a vmap, give what each environment gives alone, but for rounding."""
    keys = jax.random.split(jax.random.key(10), 16)

    def begin(episodes):
        return episodes[0], jax.tree.map(lambda leaf: leaf[:, :10], episodes[1])

    alone = begin(_stack([trial.alone(key) for key in keys[:6]]))
    table = trial.nested(keys.reshape(4, 4))
    nested = jax.tree.map(lambda leaf: leaf.reshape(16, *leaf.shape[2:]), table)
    for together in (trial.together(keys), nested):
        assert_close(begin(jax.tree.map(lambda leaf: leaf[:6], together)), alone, 2e-3)


def no_axis_is_ignored(trial: EnvironmentTrial, num_steps: int = 50, num_tasks: int = 64) -> None:
    """Moving a task along any of its axes changes what happens, see `axes`."""
    ignored = ignored_axes(trial.env, num_steps, num_tasks)
    assert not ignored, f"{trial.env.name} ignores {', '.join(ignored)} in {num_steps} steps"


def step_never_resets(trial: EnvironmentTrial) -> None:
    """What the last step of an episode shows is not the start of another one.

    Of the random episodes whose observations left those of their level's starts before they ended,
    some end outside of them.
    """
    keys = jax.random.split(jax.random.key(10), 16)
    timesteps = trial.together(keys)[1]
    if not np.any(timesteps.terminated | timesteps.truncated):
        timesteps = trial.whole(keys)[1]
    ends = np.asarray(timesteps.terminated | timesteps.truncated)
    starts, shown = jax.tree.leaves(trial.starts(keys)), jax.tree.leaves(timesteps.obs)
    away = np.any([_is_outside(one, all) for one, all in zip(starts, shown)], axis=0)
    last = ends.argmax(axis=1)
    had_left = np.array([row[:end].any() for row, end in zip(away, last)]) & ends.any(axis=1)
    comes_back = ~away[np.arange(len(keys)), last]
    resets_itself = had_left.any() and comes_back[had_left].all()
    assert not resets_itself, f"{trial.env.name}: step shows the start of another episode at an end"


def _is_outside(starts: jax.Array, shown: jax.Array) -> np.ndarray:
    """Where an observation lies beyond all starts, some of them by more than a tenth of their
    width: [episodes, steps].
    """
    start, seen = np.asarray(starts, np.float64), np.asarray(shown, np.float64)
    low, high = start.min(axis=1)[:, None], start.max(axis=1)[:, None]
    margin = 1e-5 + 0.1 * (high - low)
    outside = (seen < low - margin) | (seen > high + margin)
    return outside.reshape(*seen.shape[:2], -1).any(axis=2)
