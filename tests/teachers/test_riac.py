"""RIAC: its regions against the plain loop, its draws, its bounds."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import Box, Episodes
from jaxcurriculum.students import simulated
from jaxcurriculum.teachers import RiacConfig, riac
from jaxcurriculum.teachers.parts import cutting, regions
from jaxcurriculum.teachers.riac import proposal_draws
from jaxcurriculum.testing.compiling import quick_jit
from jaxcurriculum.testing.laws import assert_close, assert_equal
from references.riac_numpy import Riac, progress
from references.toy_grid_numpy import ToyGrid

SPACE = Box(
    names=("height", "constant", "spacing"),
    low=(0.0, 2.0, 1.0),
    high=(4.0, 2.0, 100.0),
    log=(False, False, True),
)
SMALL = RiacConfig(
    max_items=20, num_attempts=10, max_draws=20, min_share=0.1, min_side=0.05, max_regions=64
)


def episodes_of(tasks, returns, valid=True):
    num = len(tasks)
    return Episodes(
        tasks=tasks,
        seeds=jnp.zeros((num,), jnp.uint32),
        origin=jnp.zeros((num,), jnp.int32),
        learner=jnp.zeros((num,), jnp.int32),
        returns=returns,
        lengths=jnp.ones((num,), jnp.int32),
        solved=returns > 0,
        valid=jnp.broadcast_to(jnp.asarray(valid), (num,)),
    )


def practise(teacher, student_return, rounds, seed=0, trace=lambda state: (), compiled=jax.jit):
    """Final state, and of every round: the proposals, the returns and what `trace` sees.
    `student_return(tasks, round)` -> [num].
    """

    def one_round(state, inputs):
        key, round = inputs
        key_propose, key_update = jax.random.split(key)
        state, proposals = teacher.propose(key_propose, state, 1)
        returns = student_return(proposals.tasks, round)
        state, _ = teacher.update(key_update, state, episodes_of(proposals.tasks, returns), None)
        return state, (proposals, returns, trace(state))

    keys = jax.random.split(jax.random.key(seed), rounds)
    run = compiled(
        lambda keys: jax.lax.scan(one_round, teacher.init(keys[0]), (keys, jnp.arange(rounds)))
    )
    return (*run(keys), keys)


def growing_return(tasks, round):
    """Progress below height 2 only."""
    return jnp.where(tasks[:, 0] < 2.0, 0.002 * round.astype(jnp.float32), 0.5)


@pytest.fixture(scope="module")
def grown():
    """A teacher with many regions: its configuration leaves room for 31 cuts, and there were
    3,000 episodes.
    """
    teacher = riac(SPACE, SMALL)
    return teacher, *practise(teacher, growing_return, 3000)[:2]


@pytest.fixture(scope="module")
def batch():
    """A teacher, its update from the start on as a function of 150 episodes, its key, and such
    episodes, some invalid and full of nan.
    """
    teacher, key, num = riac(SPACE, SMALL), jax.random.key(5), 150
    tasks = jax.vmap(SPACE.sample)(jax.random.split(key, num))
    returns = jax.random.normal(jax.random.key(6), (num,))
    valid = jax.random.bernoulli(jax.random.key(7), 0.8, (num,))
    episodes = episodes_of(
        jnp.where(valid[:, None], tasks, jnp.nan), jnp.where(valid, returns, jnp.nan), valid
    )
    start = teacher.init(key)
    return (
        teacher,
        quick_jit(lambda episodes: teacher.update(key, start, episodes, None)[0]),
        key,
        episodes,
    )


def test_presets_are_the_published_ones():
    paper, benchmark = RiacConfig.paper(), RiacConfig.teach_my_agent()
    assert paper == RiacConfig()
    assert (
        paper.max_items,
        paper.num_attempts,
        paper.min_share * paper.max_items,
        paper.min_side,
        paper.discard,
    ) == (
        200,
        50,
        10,
        1 / 15,
        0.25,
    )
    assert (
        benchmark.max_items,
        benchmark.num_attempts,
        benchmark.min_share * 150,
        benchmark.min_side,
    ) == (150, 75, 7.5, 0.1)
    for config in (paper, benchmark):
        assert (config.exploration, config.mutation, config.mutation_std, config.discard) == (
            0.2,
            0.1,
            0.1,
            0.25,
        )


@pytest.mark.parametrize(
    "bad",
    [
        {"max_items": 2},
        {"num_attempts": 0},
        {"max_draws": 49},
        {"min_share": 0.6},
        {"min_side": -0.1},
        {"max_items": 4, "discard": 0.2},
        {"exploration": 1.5},
        {"mutation": 0.5, "exploration": 0.6},
        {"mutation_std": float("nan")},
        {"max_regions": 2},
    ],
)
def test_bad_configurations_are_named(bad):
    with pytest.raises(ValueError, match=f"RiacConfig.*{next(reversed(bad))}"):
        RiacConfig(**bad)


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(RiacConfig(), id="2019"),
        pytest.param(
            RiacConfig(
                max_items=31,
                num_attempts=8,
                max_draws=12,
                min_side=0.2,
                weigh_populations=False,
                max_regions=22,
            ),
            id="many cuts in vain, until the regions are used up",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_equals_the_plain_loop_fed_the_same_random_numbers(config):
    """The same task, the same number of regions and the same probabilities in each of 2,000
    rounds, and the same boxes.
    """
    num_rounds, student = 2000, simulated.toy_grid()
    teacher, learner = riac(student.task_space, config), ToyGrid()
    keys = jax.random.split(jax.random.key(3), num_rounds)

    def one_round(states, key):
        key_propose, key_update = jax.random.split(key)
        state, proposals = teacher.propose(key_propose, states[0], 1)
        learner_state, episodes = student.train(key, states[1], proposals)
        state, _ = teacher.update(key_update, state, episodes, None)
        draws = proposal_draws(jax.random.split(key_propose)[0], 1, 2)
        return (state, learner_state), (proposals.tasks[0], draws, state.alp, state.num_regions)

    start = (teacher.init(keys[0]), student.init(keys[0]))
    (state, _), trace = jax.jit(lambda keys: jax.lax.scan(one_round, start, keys))(keys)
    tasks, draws, alp, num_regions = jax.tree.map(np.asarray, trace)

    def draw_cuts(num_episodes):
        key = jax.random.fold_in(jax.random.split(keys[num_episodes - 1])[1], num_episodes)
        return tuple(np.asarray(x) for x in cutting.cut_draws(key, config.max_draws, 2))

    reference = Riac([0, 0], [1, 1], draw_cuts=draw_cuts, **dataclasses.asdict(config))
    for i in range(num_rounds):
        task = reference.sample(
            draws.mode[i, 0], draws.region[i, 0], draws.inside[i, 0], draws.noise[i, 0]
        )
        np.testing.assert_allclose(tasks[i], task, atol=1e-5)
        reference.update(tasks[i], float(np.float32(learner.practise(tasks[i]))))
        assert num_regions[i] == len(reference.regions)
        expected = [region.alp for region in reference.regions]
        np.testing.assert_allclose(alp[i, : num_regions[i]], expected, atol=1e-6)
        if sum(expected) > 0:
            np.testing.assert_allclose(
                alp[i, : num_regions[i]] / alp[i].sum(), reference.probabilities(), atol=1e-5
            )
    assert len(reference.regions) >= 15
    for k, region in enumerate(reference.regions):
        np.testing.assert_allclose(state.low[k], region.low, atol=1e-6)
        np.testing.assert_allclose(state.high[k], region.high, atol=1e-6)
        held = min(int(state.num_rows[k] - state.first_row[k]), config.max_items + 1)
        assert held == len(region.returns)


def test_more_tasks_where_there_is_progress(grown):
    """Regions without progress are only met by exploring and as parts of larger ones."""
    _, state, (proposals, _, _) = grown
    without = (np.asarray(state.low[:, 0]) >= 0.5) & (np.arange(64) < 63)
    assert without.sum() >= 2
    np.testing.assert_array_equal(np.asarray(state.alp)[without], 0.0)
    heights = np.asarray(proposals.tasks[1000:, 0, 0])
    assert np.mean(heights < 2.0) > 0.62, (
        "uniform tasks would give 0.5 with a standard error of 0.011"
    )


def test_the_first_cut_separates_progress_from_none():
    tasks = jax.random.uniform(jax.random.key(0), (201, 2))
    returns = growing_return(4 * tasks, jnp.arange(201))
    halving = cutting.Cutting(
        axes=(0, 1),
        max_draws=100,
        num_attempts=50,
        min_items=10,
        num_forgotten=50,
        weigh_populations=False,
    )
    rows = jnp.concatenate([tasks, returns[:, None]], axis=1)
    cut = quick_jit(halving.best)(
        jax.random.key(1), rows, jnp.zeros(2), jnp.ones(2), jnp.float32(1 / 15)
    )
    assert bool(cut.found) and int(cut.axis) == 0
    np.testing.assert_allclose(cut.threshold, 0.5, atol=0.05)


def test_leaves_are_a_partition_and_no_side_is_too_short(grown):
    teacher, state, _ = grown
    report = teacher.report(state)
    assert int(report.num_regions) == 63 and int(report.num_episodes) == 3000
    low, high = np.asarray(report.low), np.asarray(report.high)
    leaf = np.asarray(report.leaf)
    assert leaf.sum() == 32
    points = np.asarray(jax.vmap(SPACE.sample)(jax.random.split(jax.random.key(1), 500)))
    inside = np.all(
        (points[:, None] > low[leaf]) & (points[:, None] <= high[leaf]) | (low[leaf] == high[leaf]),
        axis=2,
    )
    np.testing.assert_array_equal(inside.sum(1), 1)
    sides = np.asarray(state.high - state.low)[:63]
    assert sides.min() >= SMALL.min_side - 1e-6
    np.testing.assert_array_equal(low[:63, 1], 2.0)
    np.testing.assert_array_equal(high[:63, 1], 2.0)
    assert not np.any(np.asarray(state.axis) == 1), "no cut across an axis of no width"
    np.testing.assert_array_equal(sides[:, 1], 1.0)


def test_full_of_regions_it_goes_on_with_the_latest_episodes(grown):
    """No cut any more; each region's progress is that of the latest `max_items` of its returns,
    as recounted from all episodes.
    """
    teacher, state, (proposals, returns, _) = grown
    unit = np.asarray(jax.vmap(SPACE.to_unit)(proposals.tasks[:, 0]))
    low, high = np.asarray(state.low), np.asarray(state.high)
    for k in np.flatnonzero(
        np.asarray(state.num_rows)[:63] > 200
    ):  # long after its cut: nothing of its parent's is left
        inside = np.all((unit > low[k]) & (unit <= high[k]) | (low[k] == 0) & (unit == 0), axis=1)
        latest = [float(x) for x in np.asarray(returns)[inside, 0][-SMALL.max_items :]]
        np.testing.assert_allclose(state.alp[k], progress(latest, SMALL.max_items), atol=1e-5)
    assert int(jnp.sum(state.num_rows[:63] > 200)) > 5


def test_a_batch_equals_its_episodes_one_by_one(batch):
    teacher, learn, key, episodes = batch
    together, start = learn(episodes), teacher.init(key)
    single = lambda state, row: teacher.update(
        key, state, jax.tree.map(lambda x: x[None], row), None
    )
    one_by_one, _ = quick_jit(lambda episodes: jax.lax.scan(single, start, episodes))(episodes)
    assert int(together.num_regions) > 5
    assert_close(together, one_by_one, 1e-5)  # a logarithm may round otherwise in another program


def test_returns_that_are_not_finite_are_as_if_not_there(batch):
    teacher, learn, key, episodes = batch
    wrong = episodes.returns.at[::7].set(jnp.nan).at[1::7].set(jnp.inf).at[2::7].set(-jnp.inf)
    assert_equal(
        learn(episodes.replace(returns=wrong)),
        learn(episodes.replace(valid=episodes.valid & jnp.isfinite(wrong))),
    )
    assert_equal(learn(episodes.replace(returns=jnp.full_like(wrong, -jnp.inf))), teacher.init(key))


def test_progress_does_not_drift_in_a_long_run():
    """100,000 returns far from 0, of which only the latest 20 count."""
    returns = 1e4 + jax.random.normal(jax.random.key(0), (100_000,))
    add = lambda state, value: (
        regions.add(state, jnp.stack([jnp.float32(0.5), value]), jnp.bool_(True))[0],
        None,
    )
    state, _ = jax.jit(lambda returns: jax.lax.scan(add, regions.empty(1, 20, 1), returns))(returns)
    latest = np.asarray(returns, np.float64)[-20:]
    np.testing.assert_allclose(
        state.alp[0], abs(latest[:10].mean() - latest[10:].mean()), atol=2e-3
    )  # a float's spacing there is 1e-3


def test_shares_and_places_of_the_three_ways_to_choose(grown):
    teacher, state, _ = grown
    _, proposals = quick_jit(lambda key: teacher.propose(key, state, 20_000))(jax.random.key(9))
    origin, tasks = np.asarray(proposals.origin), np.asarray(proposals.tasks)
    alp = np.asarray(state.alp)
    shares = np.bincount(origin[origin >= 0], minlength=64) / 20_000
    np.testing.assert_allclose(np.mean(origin == -1), 0.2, atol=0.01)
    np.testing.assert_allclose(shares, 0.8 * alp / alp.sum(), atol=0.01)
    report = teacher.report(state)
    low, high = (
        np.asarray(report.low)[np.maximum(origin, 0)],
        np.asarray(report.high)[np.maximum(origin, 0)],
    )
    assert np.all((tasks >= low) & (tasks <= high)), "each task lies in its region"
    drawn = proposal_draws(jax.random.split(jax.random.key(9))[0], 20_000, 3)
    mutated = (np.asarray(drawn.mode) >= 0.2) & (np.asarray(drawn.mode) < 0.3)
    rows = np.asarray(state.items)[np.asarray(state.slots)]
    for k in (0, int(np.argmax(alp))):
        held = min(int(state.num_rows[k] - state.first_row[k]), SMALL.max_items + 1)
        slots = (int(state.num_rows[k]) - held + np.arange(held)) % (SMALL.max_items + 2)
        worst = SPACE.from_unit(jnp.array(rows[k, slots[np.argmin(rows[k, slots, -1])], :-1]))
        chosen = mutated & (origin == k)
        moved = np.asarray(worst)[None] + 0.1 * np.asarray(drawn.noise)[chosen]
        np.testing.assert_allclose(
            tasks[chosen], np.clip(moved, low[chosen], high[chosen]), rtol=1e-5
        )


def test_before_the_first_episode_and_with_full_exploration_tasks_are_uniform():
    teacher = riac(SPACE, dataclasses.replace(SMALL, mutation=1.0, exploration=0.0))
    _, proposals = quick_jit(lambda state: teacher.propose(jax.random.key(1), state, 4000))(
        teacher.init(jax.random.key(0))
    )
    unit = np.asarray(jax.vmap(SPACE.to_unit)(proposals.tasks))
    np.testing.assert_allclose(unit[:, [0, 2]].mean(0), 0.5, atol=0.02)
    np.testing.assert_allclose(unit[:, [0, 2]].std(0), np.sqrt(1 / 12), atol=0.02)
    assert np.all(unit[:, 1] == 0)


def test_shares_and_sides_can_be_swept():
    """One compiled program for several configurations: the long least side cuts less often."""

    def run(min_side, exploration):
        teacher = riac(
            SPACE, dataclasses.replace(SMALL, min_side=min_side, exploration=exploration)
        )

        def one_round(state, key):
            state, proposals = teacher.propose(key, state, 16)
            episodes = episodes_of(proposals.tasks, growing_return(proposals.tasks, jnp.int32(0)))
            return teacher.update(key, state, episodes, None)[0], proposals

        keys = jax.random.split(jax.random.key(0), 30)
        state, proposals = jax.lax.scan(one_round, teacher.init(keys[0]), keys)
        return state.num_regions, jnp.mean(proposals.origin == -1)

    num_regions, explored = quick_jit(jax.vmap(run))(
        jnp.array([0.05, 0.05, 0.4]), jnp.array([0.0, 0.5, 0.5])
    )
    assert num_regions[0] > 20 and num_regions[1] > 20 and num_regions[2] <= 7
    np.testing.assert_allclose(explored, [0.0, 0.5, 0.5], atol=0.1)


def test_a_space_of_no_width_is_never_cut():
    space = Box(names=("a", "b"), low=(1.0, 2.0), high=(1.0, 2.0))
    state, (proposals, _, _), _ = practise(
        riac(space, SMALL), lambda tasks, round: tasks[:, 0] + round, 100, compiled=quick_jit
    )
    assert int(state.num_regions) == 1 and np.all(
        np.asarray(proposals.tasks[:, 0]) == np.array([1.0, 2.0])
    )
    assert all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in jax.tree.leaves(state))


def test_an_episode_is_one_item_for_all_regions_that_remember_it(grown):
    """Each region's items lie in its box; no two leaves share any; none above them keeps more
    than they do; the spare one is free.
    """
    _, state, _ = grown
    capacity, num_regions = SMALL.max_items + 1, int(state.num_regions)
    number, first = np.asarray(state.num_rows), np.asarray(state.first_row)
    rows = [np.arange(max(number[k] - capacity, first[k]), number[k]) for k in range(num_regions)]
    items = [np.asarray(state.slots)[k, rows[k] % (capacity + 1)] for k in range(num_regions)]
    for k in range(num_regions):
        tasks = np.asarray(state.items)[items[k], :-1]
        assert np.all(
            (tasks >= np.asarray(state.low[k]) - 1e-6) & (tasks <= np.asarray(state.high[k]) + 1e-6)
        )
        assert len(set(items[k])) == len(items[k]) and int(state.spare) not in items[k]
    leaves = np.concatenate([items[k] for k in range(num_regions) if state.child[k] == 0])
    assert len(set(leaves)) == len(leaves) and set(items[0]) <= set(range(int(state.num_items)))
    assert int(state.num_items) <= len(state.items) == 32 * capacity + 1


@pytest.mark.parametrize(("dims", "megabytes"), [(2, 0.9), (5, 1.5)])
def test_the_state_is_small(dims, megabytes):
    space = Box(names=list("abcde")[:dims], low=[0] * dims, high=[1] * dims)
    state = jax.eval_shape(riac(space).init, jax.random.key(0))
    assert sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state)) < megabytes * 1e6
