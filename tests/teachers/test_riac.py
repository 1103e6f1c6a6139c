"""RIAC: the published rule against the plain loop, its bounds, and what counts."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from riac_runs import SMALL, SPACE, episodes_of, growing_return

from jaxcurriculum import Box
from jaxcurriculum.students import simulated
from jaxcurriculum.teachers import RiacConfig, riac
from jaxcurriculum.teachers.parts import cutting
from jaxcurriculum.teachers.riac import proposal_draws
from jaxcurriculum.testing.compiling import quick_jit
from jaxcurriculum.testing.laws import assert_close, assert_equal
from references.riac_numpy import Riac
from references.toy_grid_numpy import ToyGrid


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
        learner_state, episodes = student.train(key, states[1], proposals, jnp.int32(0))
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


@pytest.mark.parametrize(("dims", "megabytes"), [(2, 0.9), (5, 1.5)])
def test_the_state_is_small(dims, megabytes):
    space = Box(names=list("abcde")[:dims], low=[0] * dims, high=[1] * dims)
    state = jax.eval_shape(riac(space).init, jax.random.key(0))
    assert sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state)) < megabytes * 1e6
