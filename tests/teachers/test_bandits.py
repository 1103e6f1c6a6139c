"""Bandit teachers against plain NumPy references; batches, sweeps and bad input."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from bandits import (
    ARMS,
    KEYS,
    NUM_ARMS,
    UPDATES,
    after,
    drifting_student,
    episodes_of,
    one_at_a_time,
    updated,
)

from jaxcurriculum import teachers
from jaxcurriculum.teachers.tscl import sampled_probabilities
from jaxcurriculum.testing.compiling import quick_jit
from references import bandits_numpy


@pytest.mark.parametrize(
    ("algorithm", "boltzmann", "absolute"),
    [
        ("online", False, True),
        ("online", True, False),
        ("naive", False, True),
        ("window", False, True),
        ("window", True, True),
        ("sampling", False, True),
    ],
)
def test_tscl_is_the_published_rule(algorithm, boltzmann, absolute):
    config = teachers.TsclConfig(
        algorithm=algorithm,
        policy="boltzmann" if boltzmann else "epsilon-greedy",
        temperature=0.01,
        window=8,
        absolute=absolute,
    )
    teacher, (arm, returns, _, _) = teachers.tscl(ARMS, config), drifting_student()
    uniform = lambda key: jax.random.uniform(key, (NUM_ARMS,))
    look = (
        (lambda state, key: sampled_probabilities(uniform(key), state.returns, config))
        if algorithm == "sampling"
        else None
    )
    seen, _ = one_at_a_time(teacher, episodes_of(arm, returns), KEYS, look)
    reference = bandits_numpy.Tscl(
        NUM_ARMS, algorithm, window=8, temperature=0.01 if boltzmann else None, absolute=absolute
    )
    numbers = np.asarray(jax.vmap(uniform)(KEYS))
    for i in range(UPDATES):
        np.testing.assert_allclose(
            seen[i], reference.probabilities(numbers[i]), atol=1e-5, err_msg=f"update {i}"
        )
        reference.update(int(arm[i]), float(returns[i]))
    assert len(np.unique(seen.argmax(1))) >= 4


@pytest.mark.parametrize("sharing", [True, False])
def test_exp3_is_the_published_rule(sharing):
    config = teachers.Exp3Config(learning_rate=0.01, bias=0.1, reservoir=60, sharing=sharing)
    teacher, (arm, returns, _, _) = teachers.exp3(ARMS, config), drifting_student(1)
    seen, _ = one_at_a_time(teacher, episodes_of(arm, returns), KEYS)
    reference = bandits_numpy.Exp3S(NUM_ARMS, 0.01, 0.05, 0.1, 60, sharing=sharing)
    numbers = np.asarray(jax.vmap(lambda key: jax.random.uniform(key, (1,))[0])(KEYS))
    for i in range(UPDATES):
        np.testing.assert_allclose(
            seen[i], reference.probabilities(), atol=1e-5, err_msg=f"update {i}"
        )
        reference.update(int(arm[i]), float(returns[i]), numbers[i])
    assert np.ptp(seen, axis=0).max() > 0.1


@pytest.mark.parametrize("selection", ["softmax", "highest"])
def test_ucb_advantage_is_the_published_rule(selection):
    config = teachers.UcbAdvantageConfig(
        window=20, temperature=0.1, advantage_scale=2.0, selection=selection
    )
    teacher, (arm, returns, solved, advantage) = (
        teachers.ucb_advantage(ARMS, config),
        drifting_student(2),
    )
    advantage = np.where(solved, advantage, np.nan)  # half of the episodes come without
    seen, _ = one_at_a_time(teacher, episodes_of(arm, returns, l1_value_loss=advantage), KEYS)
    reference = bandits_numpy.UcbAdvantage(NUM_ARMS, 20, 0.1)
    for i in range(UPDATES):
        expected = reference.probabilities()
        expected = (
            expected
            if selection == "softmax"
            else (expected == expected.max()) / np.sum(expected == expected.max())
        )
        np.testing.assert_allclose(seen[i], expected, atol=1e-5, err_msg=f"update {i}")
        reference.update(int(arm[i]), float(returns[i]) / 2, advantage[i] / 2)
    assert len(np.unique(seen.argmax(1))) >= 3


BANDITS = {
    **{
        name: lambda name=name: teachers.tscl(ARMS, teachers.TsclConfig(algorithm=name, window=5))
        for name in ("online", "naive", "window")
    },
    "ucb-advantage": lambda: teachers.ucb_advantage(ARMS, teachers.UcbAdvantageConfig(window=10)),
    "balanced-filtering": lambda: teachers.balanced_filtering(ARMS),
    "missing-skill": lambda: teachers.missing_skill(ARMS),
    "skill-it": lambda: teachers.skill_it(ARMS, teachers.SkillItConfig(round_episodes=7)),
}


@pytest.mark.parametrize("name", BANDITS)
def test_a_batch_is_its_episodes_one_by_one_and_returns_without_a_number_do_not_count(name):
    teacher, (arm, returns, solved, _) = BANDITS[name](), drifting_student(6)
    episodes = episodes_of(arm[:60], returns[:60], solved[:60])
    _, alone = one_at_a_time(teacher, episodes, KEYS[:60])
    twice = jax.tree.map(lambda leaf: jnp.repeat(leaf, 2, axis=0), episodes)
    gaps = jnp.arange(120) % 2 == 1
    bad = jnp.where(
        jnp.arange(120) % 4 == 1, jnp.nan, jnp.where(jnp.arange(120) % 8 == 3, jnp.inf, 1.0)
    )
    batch = twice.replace(returns=jnp.where(gaps, bad, twice.returns), valid=~(gaps & (bad == 1.0)))
    together = after(teacher, batch)
    for x, y in zip(jax.tree.leaves(together), jax.tree.leaves(alone), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6)


def test_a_batch_of_exp3_is_weighed_by_the_probabilities_it_was_drawn_with():
    config = teachers.Exp3Config(learning_rate=0.1, sharing=False, exploration=0.2)
    teacher = teachers.exp3(ARMS, config)
    state = teacher.init(jax.random.key(0)).replace(
        log_weights=jnp.log(jnp.array([1.0, 0.5, 0.25, 0.25, 0.5, 0.5]))
    )
    before = np.asarray(teacher.report(state)["probabilities"], np.float64)
    episodes = episodes_of(
        [0, 1, 0, 1, 0, 1, 0], [0, 0, 1, 2, 9, np.nan, 8]
    )  # changes 1, 2, 8 and -1
    state = quick_jit(lambda: updated(teacher, jax.random.key(0), state, episodes))()
    gained = np.array(
        [0 + 1 - 1, 1, 0, 0, 0, 0]
    )  # scaled: 0 for the first, then beyond the quantiles of those before
    weights = np.array([1, 0.5, 0.25, 0.25, 0.5, 0.5]) * np.exp(0.1 * gained / before)
    np.testing.assert_allclose(
        teacher.report(state)["probabilities"], 0.8 * weights / weights.sum() + 0.2 / 6, rtol=1e-5
    )
    np.testing.assert_array_equal(state.reservoir[:5], [-1, 1, 2, 8, np.inf])


@pytest.mark.parametrize(
    ("config", "bad", "named"),
    [
        (teachers.TsclConfig, {"algorithm": "best"}, "algorithm"),
        (teachers.TsclConfig, {"policy": "greedy"}, "policy"),
        (teachers.TsclConfig, {"algorithm": "sampling", "policy": "boltzmann"}, "policy"),
        (teachers.TsclConfig, {"temperature": -0.1}, "temperature"),
        (teachers.TsclConfig, {"temperature": 0.0}, "temperature"),
        (teachers.TsclConfig, {"algorithm": "window", "window": 1}, "window"),
        (teachers.TsclConfig, {"exploration": 1.1}, "exploration"),
        (teachers.TsclConfig, {"learning_rate": np.nan}, "learning_rate"),
        (
            teachers.Exp3Config,
            {"low_quantile": 0.8, "high_quantile": 0.2},
            "low_quantile < high_quantile",
        ),
        (teachers.Exp3Config, {"reservoir": 1}, "reservoir"),
        (teachers.Exp3Config, {"learning_rate": -1.0}, "learning_rate"),
        (teachers.UcbAdvantageConfig, {"temperature": -1.0}, "temperature"),
        (teachers.UcbAdvantageConfig, {"selection": "best"}, "selection"),
        (teachers.UcbAdvantageConfig, {"advantage_scale": 0.0}, "advantage_scale"),
        (teachers.BalancedFilteringConfig, {"low": 0.8, "high": 0.2}, "low <= high"),
        (teachers.BalancedFilteringConfig, {"min_episodes": 20}, "min_episodes"),
        (teachers.MissingSkillConfig, {"missing_from": 1.5}, "missing_from"),
        (teachers.SkillItConfig, {"return_range": (1.0, 0.0)}, "return_range"),
        (teachers.SkillItConfig, {"return_range": (0.0, np.inf)}, "return_range"),
        (teachers.SkillItConfig, {"rounds": 0}, "rounds"),
    ],
)
def test_bad_configurations_are_named(config, bad, named):
    with pytest.raises(ValueError, match=f"{config.__name__}.*{named}"):
        config(**bad)


@pytest.mark.parametrize(
    "graph",
    [
        np.eye(5),
        np.ones(6),
        [[1.0], [1.0, 2.0]],
        -np.eye(6),
        np.full((6, 6), np.nan),
        np.full((6, 6), np.inf),
    ],
)
def test_bad_graphs_are_named(graph):
    with pytest.raises(ValueError, match="skill_it.graph"):
        teachers.skill_it(ARMS, graph=graph)


def test_a_sweep_maps_over_configurations():
    def share(exploration, temperature):
        teacher = teachers.tscl(ARMS, teachers.TsclConfig(exploration=exploration))
        state = teacher.init(jax.random.key(0)).replace(
            value=jnp.array([0.0, -2.0, 1.0, 0.0, 0.0, 0.0])
        )
        soft = teachers.tscl(ARMS, teachers.TsclConfig(policy="boltzmann", temperature=temperature))
        return teacher.report(state)["probabilities"][1], soft.report(state)["probabilities"][1]

    greedy, soft = jax.vmap(share)(jnp.array([0.0, 0.6, 1.0]), jnp.array([0.5, 1.0, 1e6]))
    np.testing.assert_allclose(greedy, [1, 0.5, 1 / 6], rtol=1e-5)
    expected = [np.exp(2 / t) / (np.exp(2 / t) + np.exp(1 / t) + 4) for t in (0.5, 1.0, 1e6)]
    np.testing.assert_allclose(soft, expected, rtol=1e-4)
