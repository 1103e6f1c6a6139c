"""SPDL: the bound of every update against plain float64, and where the Gaussian goes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from self_paced_runs import SPACE, context, made_episodes, practise, to_flat

from jaxcurriculum import Box, teachers
from jaxcurriculum.teachers import SelfPacedConfig
from jaxcurriculum.teachers.parts.trust_region import kl
from jaxcurriculum.testing.compiling import quick_jit
from references.gaussian_numpy import plain_kl


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


@pytest.mark.slow
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


@pytest.mark.slow
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
