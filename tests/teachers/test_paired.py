"""PAIRED: its update against NumPy and PPO, what the builder depends on, and that it learns."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from building import BUILDER, CONFIG, CONTEXT, NUM, NUMBERS, SPACE, episodes_of, of_both, same

from jaxcurriculum import Episodes, Student, learners, make_loop, teachers
from jaxcurriculum.interop import HostTeacher
from jaxcurriculum.records import Experience, fresh_proposals
from jaxcurriculum.students import population, simulated
from jaxcurriculum.teachers.paired import NUM_NUMBERS
from jaxcurriculum.teachers.parts.building import build
from jaxcurriculum.testing.compiling import quick_jit


@functools.cache
def compiled(editor, config):
    """`init`, `propose` and `update` of a teacher, whose settings are those of its first state."""
    teacher = teachers.paired(editor, config)
    propose = quick_jit(lambda key, state: teacher.propose(key, state, NUM))
    update = quick_jit(lambda key, state, episodes: teacher.update(key, state, episodes, CONTEXT))
    return quick_jit(teacher.init), propose, lambda *given: update(*given)[0]


def begun(editor=NUMBERS, config=CONFIG, seed=0):
    """A state with proposals, these, and `update`."""
    init, propose, update = compiled(editor, config)
    state, proposals = propose(jax.random.key(seed + 1), init(jax.random.key(seed)))
    return state, proposals, update


def some_returns(seed=0):
    """Of both students on all levels; the antagonist did not end number 2, nobody number 5."""
    first, second = np.random.default_rng(seed).normal(size=(2, NUM)).astype(np.float32)
    first[5] = second[5] = second[2] = np.nan
    return jnp.array(first), jnp.array(second)


def test_the_update_is_ppo_on_episodes_rewarded_with_regret_at_their_end():
    """The experience is made anew in NumPy: what stood before each move follows from the moves."""
    state, proposals, update = begun()
    first, second = some_returns()
    worth = np.maximum(np.nan_to_num(np.array(second) - np.array(first)), 0)
    known = np.isfinite(np.array(first) + np.array(second)).astype(np.float32)
    chosen = np.clip(np.array(state.moves.action)[..., 0] / 2 + 0.5, 0, 1)  # [move, level]
    seen = np.zeros((3, NUM, 2), np.float32)
    seen[1:, :, 0], seen[2, :, 1] = chosen[0], chosen[1]
    moves = np.zeros((3, NUM, 2), np.float32)
    moves[0, :, 0] = moves[1, :, 1] = 1
    nothing = np.zeros((3, NUM, 0), np.float32)
    obs = {"built": seen, "move": moves, "noise": nothing}
    last = np.array([[False], [True]]) & np.ones((1, NUM), bool)
    learner = learners.ppo(NUMBERS.env, dataclasses.replace(BUILDER, minibatch_size=8), NUM)
    experience = Experience(
        obs={name: leaf[:-1] for name, leaf in obs.items()},
        next_obs={name: leaf[1:] for name, leaf in obs.items()},
        action=state.moves.action,
        extras=state.moves.extras,
        reward=np.where(last, worth, 0).astype(np.float32),
        terminated=last,
        truncated=~np.ones_like(last),
        first=~last,
        weight=np.ones((2, 1), np.float32) * known,
        memory=learner.memory(NUM),
    )
    np.testing.assert_allclose(proposals.tasks, chosen.T * [1.0, 4.0], atol=1e-6)
    expected, _ = quick_jit(learner.learn)(jax.random.key(9), state.learner, experience)
    after = update(jax.random.key(9), state, of_both(proposals, first, second))
    np.testing.assert_allclose(after.regret, worth, atol=1e-6)
    for ours, theirs in zip(jax.tree.leaves(after.learner), jax.tree.leaves(expected)):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert not same(after.learner.params, state.learner.params)


def test_a_level_that_somebody_did_not_finish_teaches_nothing():
    """Neither its moves nor the other's return there matter, in truth and for PPO's scales."""
    state, proposals, update = begun()
    first, second = some_returns()
    action = state.moves.action.at[:, jnp.array([2, 5])].set(0.3)
    others = state.replace(moves=state.moves.replace(action=action))
    key, episodes = jax.random.key(9), of_both(proposals, first, second)
    learned = update(key, state, episodes)
    elsewhere = update(key, others, of_both(proposals, first.at[2].set(7.0), second))
    assert same(learned.learner.params, elsewhere.learner.params)
    assert learned.known.tolist() == [i not in (2, 5) for i in range(NUM)]
    known = update(key, state, of_both(proposals, first, second.at[2].set(1.0)))
    assert not same(learned.learner.params, known.learner.params)


def test_only_levels_of_the_round_teach():
    """Episodes that end later than their round, or on levels of somebody else, change nothing."""
    state, proposals, update = begun()
    _, propose, _ = compiled(NUMBERS, CONFIG)
    late = of_both(proposals, *some_returns())
    state, newer = propose(jax.random.key(5), state)
    assert not set(newer.origin.tolist()) & set(proposals.origin.tolist())
    assert same(update(jax.random.key(9), state, late).learner, state.learner)
    foreign = late.replace(origin=-1 - late.origin)
    assert same(update(jax.random.key(9), state, foreign).learner, state.learner)
    nothing = of_both(newer, *some_returns()).replace(valid=jnp.zeros(2 * NUM, bool))
    assert same(update(jax.random.key(9), state, nothing).learner, state.learner)
    assert int(newer.origin.max()) < NUM_NUMBERS * NUM


@pytest.mark.slow
def test_regret_may_be_negative():
    state, proposals, _ = begun()
    teacher = teachers.paired(NUMBERS, dataclasses.replace(CONFIG, clamp=False))
    ones = jnp.ones(NUM)
    given = (jax.random.key(9), state, of_both(proposals, 4 * ones, ones), CONTEXT)
    assert quick_jit(lambda: teacher.update(*given)[0].regret)().tolist() == [-3.0] * NUM


@pytest.mark.slow
def test_noise_changes_what_is_built():
    """jaxued's flag zeroes it, so that only chance in the policy makes levels differ."""

    def num_levels(size):
        editor = teachers.box_editor(
            SPACE, teachers.BoxEditorConfig(num_bins=None, noise_size=size)
        )
        learner = learners.ppo(editor.env, dataclasses.replace(BUILDER, memory="none"), NUM)
        certain = dataclasses.replace(learner, act=lambda *given: learner.act(*given[:-1], True))

        def built(key):
            return build(key, editor, certain, learner.init(key), NUM)[0]

        return len(np.unique(quick_jit(built)(jax.random.key(0)), axis=0))

    assert (num_levels(0), num_levels(16)) == (1, NUM)


@pytest.mark.slow
def test_the_builders_learning_rate_changes_its_update():
    """minimax's has no effect."""
    state, proposals, _ = begun()
    episodes = of_both(proposals, *some_returns())

    def largest_change(rate):
        builder = dataclasses.replace(BUILDER, memory="none", learning_rate=rate)
        teacher = teachers.paired(NUMBERS, dataclasses.replace(CONFIG, builder=builder))
        begun = teacher.init(jax.random.key(0)).replace(number=state.number, moves=state.moves)
        after = teacher.update(jax.random.key(9), begun, episodes, CONTEXT)[0]
        changes = jax.tree.map(jnp.subtract, after.learner.params, begun.learner.params)
        return jnp.max(jnp.stack([jnp.max(jnp.abs(leaf)) for leaf in jax.tree.leaves(changes)]))

    changes = quick_jit(jax.vmap(largest_change))(jnp.array([0.0, 1e-3, 1e-2]))
    assert changes[0] == 0 < 3 * changes[1] < changes[2]


def judge(returns_of, num_learners):
    """Students that never learn; learner i returns `returns_of(i, unit tasks [num, 2])`."""

    def train(key, state, proposals, round):
        unit = jax.vmap(SPACE.to_unit)(proposals.tasks)
        each = [
            episodes_of(proposals, returns_of(number, unit), number)
            for number in range(num_learners)
        ]
        return state, jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *each)

    def evaluate(key, state, tasks, seeds, *how):
        return Episodes.of(fresh_proposals(key, tasks), jnp.zeros(len(seeds)), seeds > 0)

    return Student(
        name="judge",
        task_space=SPACE,
        num_proposals=32,
        steps_per_round=32,
        step_unit="episodes",
        init=lambda key: (),
        train=train,
        evaluate=evaluate,
        report=lambda state: {},
        num_learners=num_learners,
    )


def share_built(config, student, region, num_rounds=120):
    """The share of levels in a `region` of the unit square, of the first round, before anything is
    learned, and of the last ones.
    """
    teacher = teachers.paired(teachers.box_editor(SPACE), config)
    loop = make_loop(teacher, student, jnp.zeros((1, 2)))

    def run(key):
        def step(state, round):
            state, episodes = loop.round(state, round)
            return state, jnp.mean(region(jax.vmap(SPACE.to_unit)(episodes.tasks)))

        return jax.lax.scan(step, loop.init(key), jnp.arange(num_rounds))[1]

    shares = quick_jit(jax.vmap(run))(jax.random.split(jax.random.key(0), 3))
    return shares[:, 0], shares[:, -10:].mean(1)


LEARNING = teachers.PairedConfig(
    builder=teachers.BuilderConfig(hidden=(16,), memory_size=16, learning_rate=5e-3)
)


def differ(unit):
    """Where the antagonist is better, 0.18 of the square."""
    return (unit[:, 0] > 0.4) & (unit[:, 1] < 0.3)


@pytest.mark.slow
def test_the_builder_moves_to_where_the_students_differ():
    def returns_of(number, unit):
        solvable = unit[:, 0] < 0.8
        return jnp.where(solvable & (differ(unit) <= number), 1.0, 0.0)

    is_regret = lambda unit: differ(unit) & (unit[:, 0] < 0.8)
    first, last = share_built(LEARNING, judge(returns_of, 2), is_regret)
    assert first.mean() < 0.25 and last.min() > 0.7


@pytest.mark.slow
def test_the_minimax_adversary_moves_to_what_nobody_can_do():
    def returns_of(number, unit):
        return jnp.where(unit[:, 0] < 0.8, 1.0, 0.0)

    config = dataclasses.replace(LEARNING, objective="minimax", num_students=1)
    first, last = share_built(config, judge(returns_of, 1), lambda unit: unit[:, 0] > 0.8)
    assert first.mean() < 0.35 and last.min() > 0.85


def loop_of(teacher, student):
    return make_loop(teacher, student, simulated.toy_grid_test_tasks(simulated.ToyGridConfig()))


GRID = simulated.toy_grid(simulated.ToyGridConfig(episodes_per_round=NUM))
BOX = teachers.box_editor(GRID.task_space)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: loop_of(teachers.paired(BOX, CONFIG), GRID),
            r"'paired' compares learners: its student must be population\(student, 2\), got 'toy-",
        ),
        (
            lambda: loop_of(teachers.paired(BOX, CONFIG), population(GRID, 1)),
            r"its student must be population\(student, 2\), got '1 x toy-grid'",
        ),
        (
            lambda: loop_of(teachers.paired(BOX, CONFIG), population(GRID, 2, share=False)),
            r"its student must be population\(student, 2\), got '2 x toy-grid'",
        ),
        (
            lambda: loop_of(
                teachers.paired(BOX, CONFIG),
                dataclasses.replace(population(GRID, 2), meets_every_level=False),
            ),
            "'2 x toy-grid' does not begin every level in its round: give it a RolloutConfig with",
        ),
        (
            lambda: loop_of(teachers.paired(BOX), population(GRID, 2)),
            "PairedConfig.num_levels must be at most 8, the proposals of a round, got 32",
        ),
        (
            lambda: teachers.PairedConfig(num_students=1),
            "PairedConfig.num_students must be at least 2, as regret compares students, got 1",
        ),
        (
            lambda: teachers.PairedConfig(num_levels=20),
            "BuilderConfig.minibatch_size must divide num_levels=20, got 32",
        ),
        (lambda: teachers.paired(SPACE), "paired.editor must be of the type Editor"),
        (
            lambda: HostTeacher(teachers.paired(BOX, CONFIG)),
            "'paired' compares 2 learners, but a HostTeacher has one",
        ),
    ],
)
def test_refuses(make, words):
    with pytest.raises((ValueError, TypeError), match=words):
        make()
