"""SPDL: the bound of every update against plain float64; where the Gaussian goes, and when."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import Box, Context, teachers
from jaxcurriculum.records import CriticScores, Episodes, fresh_proposals
from jaxcurriculum.teachers import SelfPacedConfig
from jaxcurriculum.teachers.parts.trust_region import kl
from jaxcurriculum.testing.compiling import quick_jit
from references.gaussian_numpy import plain_kl

SPACE = Box(names=("height", "constant", "spacing"), low=(0.0, 2.0, 1.0), high=(3.0, 2.0, 7.0))


def to_flat(gaussian):
    return np.concatenate(
        [np.asarray(leaf) for leaf in (gaussian.mean, gaussian.log_diagonal, gaussian.below)],
        axis=-1,
    )


def context(num_steps):
    return Context(round=jnp.int32(0), num_steps=jnp.asarray(num_steps, jnp.int32), probe=None)


def made_episodes(tasks, returns, **scores):
    """Episodes of a student whose critic says no more than `scores`."""
    proposals = fresh_proposals(jax.random.key(0), jnp.asarray(tasks, jnp.float32))
    returns = jnp.asarray(returns, jnp.float32)
    names = [each.name for each in dataclasses.fields(CriticScores)]
    blank = jnp.full(returns.shape, jnp.nan)
    critic = CriticScores(**dict.fromkeys(names, blank) | scores)
    return Episodes.of(proposals, returns, returns > 0, critic=critic)


def practise(teacher, value, rounds, num):
    """(value's argument) -> last state, and reports and Gaussians after every round of `num`
    episodes, each of which is a step.

    `value` is (argument, key, task) -> return.
    """

    def run(argument):
        def one_round(state, inputs):
            keys = jax.random.split(inputs[0], 3)
            state, proposals = teacher.propose(keys[0], state, num)
            returns = jax.vmap(lambda key, task: value(argument, key, task))(
                jax.random.split(keys[1], num), proposals.tasks
            )
            now = context((inputs[1] + 1) * num)
            state, _ = teacher.update(
                keys[2], state, Episodes.of(proposals, returns, returns > 0), now
            )
            return state, (teacher.report(state), state.gaussian)

        keys = jax.random.split(jax.random.key(1), rounds)
        return jax.lax.scan(one_round, teacher.init(jax.random.key(0)), (keys, jnp.arange(rounds)))

    return run


def test_presets_are_the_published_ones():
    default, benchmark = SelfPacedConfig(), SelfPacedConfig.teach_my_agent()
    assert (default.offset_steps, default.update_every_steps) == (100_000, 100_000)
    assert (benchmark.offset_steps, benchmark.update_every_steps) == (200_000, 50_000)
    for config in (default, benchmark):
        assert (
            config.max_kl,
            config.zeta,
            config.alpha_offset,
            config.buffer_size,
            config.target_std,
        ) == (0.1, 0.25, 10, 1000, 0.25)


@pytest.mark.parametrize(
    "bad",
    [
        {"offset_steps": -1},
        {"update_every_steps": 0},
        {"update_every_steps": 0.5},
        {"max_kl": -0.1},
        {"alpha_offset": -1},
        {"zeta": -1.0},
        {"zeta": float("nan")},
        {"buffer_size": 1},
        {"target_std": 0.0},
        {"target_std": (0.1, -0.1)},
        {"target_std": "abc"},
        {"initial_std": 0.0},
    ],
)
def test_bad_configurations_are_named(bad):
    with pytest.raises(ValueError, match=f"SelfPacedConfig.{next(iter(bad))}"):
        SelfPacedConfig(**bad)


@pytest.mark.parametrize(
    "bad",
    [
        {"target_mean": (0.0, 2.0, 8.0)},
        {"target_mean": (0.0, 3.0, 2.0)},
        {"target_mean": (0.0, 2.0)},
        {"target_mean": 0.5},
        {"target_mean": (float("nan"), 2.0, 2.0)},
        {"target_std": (0.1, 0.1)},
        {"initial_mean": (0.0, 2.0, 0.0)},
    ],
)
def test_what_does_not_fit_the_space_is_named(bad):
    with pytest.raises(ValueError, match=f"SelfPacedConfig.{next(iter(bad))}"):
        teachers.self_paced(SPACE, SelfPacedConfig(**bad))


def test_random_values_of_any_size_never_break_the_bound():
    teacher = teachers.self_paced(
        SPACE, SelfPacedConfig(offset_steps=0, update_every_steps=20, alpha_offset=10)
    )
    value = lambda size, key, task: size * (jax.random.normal(key) + 0.2)
    sizes = jnp.array([100.0, 1.0, 1e14, 1e-38, 0.0])
    _, (reports, gaussians) = quick_jit(jax.vmap(practise(teacher, value, 150, 20)))(sizes)
    np.testing.assert_array_equal(reports["num_updates"], np.tile(np.arange(1, 151), (5, 1)))
    for flats, size in zip(to_flat(gaussians), sizes):
        distance = np.array([plain_kl(a, b, 2) for a, b in zip(flats, flats[1:])])
        assert np.all(np.isfinite(flats)) and np.all(distance <= 0.1)
        assert size not in (1, 100) or np.mean(distance > 0.01) > 0.5


def test_the_mean_moves_to_where_the_value_is():
    config = SelfPacedConfig(
        offset_steps=0, update_every_steps=50, alpha_offset=1000, initial_mean=(0.6, 2.0, 5.8)
    )
    best = jnp.array(
        [2.4, 2.0, 2.2]
    )  # (0.8, 0.2) of the ranges, where the Gaussian begins at (0.2, 0.8)
    value = lambda best, key, task: jnp.exp(
        -10 * jnp.sum((SPACE.to_unit(task) - SPACE.to_unit(best)) ** 2)
    )
    _, (reports, _) = quick_jit(practise(teachers.self_paced(SPACE, config), value, 200, 50))(best)
    np.testing.assert_allclose(reports["mean"][-1], best, atol=0.25)
    assert np.all(reports["std"][:, 1] == 0) and reports["kl_to_target"][-1] > 1


def test_the_gaussian_ends_at_the_target():
    config = SelfPacedConfig(
        offset_steps=0,
        update_every_steps=500,
        alpha_offset=5,
        zeta=1.0,
        target_mean=(1.0, 2.0, 3.0),
        target_std=(0.2, 0.1, 0.15),
    )
    _, (reports, _) = quick_jit(
        practise(teachers.self_paced(SPACE, config), lambda one, key, task: one, 60, 500)
    )(jnp.float32(1))
    np.testing.assert_allclose(reports["mean"][-1], [1, 2, 3], atol=0.05)
    np.testing.assert_allclose(reports["std"][-1], [0.2, 0, 0.15], atol=0.01)
    assert reports["kl_to_target"][3] > 1 and reports["kl_to_target"][-1] < 0.01


def test_updates_come_at_the_documented_steps():
    teacher = teachers.self_paced(SPACE, SelfPacedConfig(offset_steps=25, update_every_steps=10))
    _, (reports, _) = quick_jit(practise(teacher, lambda axis, key, task: task[axis], 64, 1))(0)
    steps = np.arange(1, 65)
    np.testing.assert_array_equal(
        reports["num_updates"], np.maximum(steps // 10 - 2, 0)
    )  # at 30, 40, 50 and 60


def test_an_update_without_episodes_waits_and_a_round_of_two_periods_counts_once():
    teacher = teachers.self_paced(SPACE, SelfPacedConfig(offset_steps=10, update_every_steps=10))
    update = quick_jit(
        lambda state, episodes, steps: teacher.update(
            jax.random.key(0), state, episodes, context(steps)
        )[0]
    )
    both = made_episodes([[1.0, 2.0, 3.0], [2.0, 2.0, 5.0]], [1.0, 2.0])
    none, one = both.replace(valid=jnp.zeros(2, bool)), both.replace(valid=jnp.array([True, False]))
    state, seen = teacher.init(jax.random.key(0)), []
    for episodes, steps in [
        (one, 10),
        (none, 11),
        (one, 12),
        (both, 19),
        (none, 20),
        (one, 21),
        (both, 22),
        (both, 49),
        (both, 50),
    ]:
        state = update(state, episodes, steps)
        seen.append((int(state.num_updates), int(state.buffer.num_rows), int(state.num_returns)))
    assert seen == [
        (0, 1, 1),
        (0, 1, 1),
        (1, 0, 0),
        (1, 2, 2),
        (1, 2, 2),
        (2, 0, 0),
        (2, 2, 2),
        (3, 0, 0),
        (4, 0, 0),
    ]


def test_seeds_share_a_branch_and_take_it_only_when_an_update_is_due():
    teacher = teachers.self_paced(SPACE, SelfPacedConfig(offset_steps=10, update_every_steps=10))
    states = jax.vmap(teacher.init)(jax.random.split(jax.random.key(0), 2))
    episodes = made_episodes([[1.0, 2.0, 3.0]], [1.0])
    program = jax.make_jaxpr(
        jax.vmap(lambda state: teacher.update(jax.random.key(0), state, episodes, context(9))[0])
    )(states)
    assert [equation.primitive.name for equation in program.eqns].count("cond") == 1
    assert not any(equation.primitive.name == "while" for equation in program.eqns), (
        "the search stands inside the branch"
    )


def test_returns_that_are_not_finite_count_as_absent_and_missing_values_are_replaced():
    teacher = teachers.self_paced(
        SPACE, SelfPacedConfig(offset_steps=0, update_every_steps=10, alpha_offset=0)
    )
    start = teacher.init(jax.random.key(0))
    update = quick_jit(
        lambda episodes: teacher.update(jax.random.key(0), start, episodes, context(10))[0]
    )
    tasks = np.random.default_rng(0).uniform([0, 2, 1], [3, 2, 7], (6, 3))
    returns = jnp.array([1.0, jnp.nan, 3.0, -jnp.inf, 5.0, 4.0])
    kept, blank = jnp.isfinite(returns), jnp.full((6,), jnp.nan)
    masked = made_episodes(tasks, jnp.where(kept, returns, 7.0)).replace(valid=kept)
    assert jax.tree.all(
        jax.tree.map(jnp.array_equal, update(made_episodes(tasks, returns)), update(masked))
    )
    own = masked.critic.replace(initial_value=masked.returns, discounted_returns=masked.returns)
    critic = masked.replace(critic=own, returns=0 * masked.returns)
    some = own.replace(
        initial_value=blank.at[0].set(1.0), discounted_returns=blank.at[2].set(jnp.inf)
    )
    partly = masked.replace(critic=some)
    np.testing.assert_array_equal(
        to_flat(update(critic).gaussian), to_flat(update(masked).gaussian)
    )
    np.testing.assert_array_equal(
        to_flat(update(partly).gaussian), to_flat(update(masked).gaussian)
    )


def test_the_target_attracts_only_after_the_offset_and_with_a_positive_return():
    tasks = np.random.default_rng(0).uniform([0, 2, 1], [3, 2, 7], (50, 3))

    @quick_jit
    def after(discounted, num_updates, zeta):
        config = SelfPacedConfig(
            offset_steps=0,
            update_every_steps=10,
            alpha_offset=3,
            zeta=zeta,
            initial_mean=(0.0, 2.0, 7.0),
        )
        teacher = teachers.self_paced(SPACE, config)
        start = teacher.init(jax.random.key(0)).replace(num_updates=num_updates)
        episodes = made_episodes(tasks, tasks[:, 0], discounted_returns=jnp.full((50,), discounted))
        return teacher.update(jax.random.key(0), start, episodes, context(10))[0].gaussian

    free = to_flat(after(100.0, 2, 0.25))
    for arguments in ((100.0, 0, 0.25), (-5.0, 3, 0.25), (100.0, 3, 0.0)):
        np.testing.assert_array_equal(to_flat(after(*arguments)), free)
    assert np.max(np.abs(to_flat(after(100.0, 3, 0.25)) - free)) > 1e-3


def test_the_gaussian_begins_where_the_configuration_says():
    easy = teachers.self_paced(
        SPACE, SelfPacedConfig(initial_mean=(0.3, 2.0, 4.0), initial_std=0.05)
    )
    start = easy.init(jax.random.key(0))
    report, (_, proposals) = quick_jit(
        lambda state: (easy.report(state), easy.propose(jax.random.key(1), state, 4000))
    )(start)
    np.testing.assert_allclose(report["mean"], [0.3, 2, 4], rtol=1e-6)
    np.testing.assert_allclose(report["std"], [0.05, 0, 0.05], rtol=1e-6)
    np.testing.assert_allclose(
        np.std(proposals.tasks[:, 2]), 0.3, rtol=0.05
    )  # 0.05 of the range of 6
    random = teachers.self_paced(SPACE)
    reports = quick_jit(jax.vmap(lambda key: random.report(random.init(key))))(
        jax.random.split(jax.random.key(2), 1000)
    )
    np.testing.assert_allclose(np.mean(reports["mean"], axis=0), [1.5, 2, 4], atol=0.25)
    np.testing.assert_allclose(
        np.std(reports["mean"], axis=0) * np.sqrt(12), [3, 0, 6], rtol=0.1
    )  # uniform
    np.testing.assert_allclose(reports["std"][0], [0.1, 0, 0.1], rtol=1e-6)


def test_a_space_of_one_task():
    point = Box(names=("a", "b"), low=(1.0, 2.0), high=(1.0, 2.0))
    teacher = teachers.self_paced(point, SelfPacedConfig(offset_steps=0, update_every_steps=10))
    state, proposals = teacher.propose(jax.random.key(1), teacher.init(jax.random.key(0)), 10)
    assert np.all(np.asarray(proposals.tasks) == [[1.0, 2.0]])
    episodes = made_episodes(proposals.tasks, jnp.arange(10.0))
    state, _ = quick_jit(
        lambda state: teacher.update(jax.random.key(2), state, episodes, context(10))
    )(state)
    assert int(state.num_updates) == 1 and np.all(np.isfinite(to_flat(state.gaussian)))
    assert np.all(np.asarray(teacher.report(state)["mean"]) == [1.0, 2.0])


def test_the_bound_can_be_swept():
    def distance(max_kl, episodes):
        teacher = teachers.self_paced(
            SPACE, SelfPacedConfig(offset_steps=0, update_every_steps=10, max_kl=max_kl)
        )
        start = teacher.init(jax.random.key(0))
        return kl(
            start.gaussian,
            teacher.update(jax.random.key(0), start, episodes, context(10))[0].gaussian,
        )

    tasks = np.random.default_rng(0).uniform([0, 2, 1], [3, 2, 7], (50, 3))
    distances = quick_jit(jax.vmap(distance, in_axes=(0, None)))(
        jnp.array([0.0, 0.01, 0.5]), made_episodes(tasks, tasks[:, 0])
    )
    assert distances[0] == 0 < distances[1] <= 0.01 < distances[2] <= 0.5
