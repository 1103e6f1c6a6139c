"""Bandit teachers against plain NumPy references and closed forms."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from bandits import ARMS, NUM_ARMS, episodes_of, updated

from jaxcurriculum import Box, teachers
from jaxcurriculum.teachers.tscl import sampled_probabilities
from jaxcurriculum.testing.compiling import quick_jit
from references import bandits_numpy

UPDATES = 2000


def drifting_student(seed=0):
    """Arms and noisy returns of UPDATES episodes; each arm's mean return walks, now faster, now
    slower.
    """
    rng = np.random.default_rng(seed)
    arm = rng.choice(NUM_ARMS, UPDATES, p=[0.3, 0.25, 0.2, 0.15, 0.08, 0.02])
    drift = np.cumsum(rng.normal(size=(UPDATES, NUM_ARMS)) * 0.1, axis=0)
    returns = drift[np.arange(UPDATES), arm] + 0.1 * rng.normal(size=UPDATES)
    return (
        arm,
        returns.astype(np.float32),
        rng.uniform(size=UPDATES) < 0.5,
        np.abs(rng.normal(size=UPDATES)).astype(np.float32),
    )


def one_at_a_time(teacher, episodes, keys, look=None):
    """What `look` (by default the probabilities of the report) says of the state before every
    episode, [num, ...], and the last state.
    """
    look = (lambda state, key: teacher.report(state)["probabilities"]) if look is None else look

    def step(state, inputs):
        episode, key = inputs
        return updated(teacher, key, state, jax.tree.map(lambda leaf: leaf[None], episode)), look(
            state, key
        )

    state, seen = quick_jit(
        lambda: jax.lax.scan(step, teacher.init(jax.random.key(0)), (episodes, keys))
    )()
    return np.asarray(seen), state


def after(teacher, episodes):
    """The state after one batch."""
    start = teacher.init(jax.random.key(0))
    return quick_jit(lambda episodes: updated(teacher, jax.random.key(0), start, episodes))(
        episodes
    )


KEYS = jax.random.split(jax.random.key(7), UPDATES)


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


def success_rates(arm, solved, window):
    latest = [solved[arm == i][-window:] for i in range(NUM_ARMS)]
    return np.array([np.mean(values) if len(values) else np.nan for values in latest]), np.array(
        [len(values) for values in latest]
    )


@pytest.mark.parametrize("learnability", [True, False])
def test_balanced_filtering_is_its_closed_form(learnability):
    arm = np.array([0] * 10 + [1] * 10 + [2] * 10 + [3] * 12 + [4] * 3)
    solved = np.array(
        [0] * 10 + [1] * 6 + [0] * 4 + [1] * 3 + [0] * 7 + [0] * 4 + [1] * 8 + [1, 1, 1]
    )
    config = teachers.BalancedFilteringConfig(
        window=8, min_episodes=4, low=0.25, high=0.75, learnability=learnability
    )
    teacher = teachers.balanced_filtering(ARMS, config)
    state = after(teacher, episodes_of(arm, arm, solved))
    rate, _ = success_rates(arm, solved, 8)
    np.testing.assert_allclose(rate[:4], [0, 0.5, 0.125, 1])
    weight = np.array(
        [0, 1, 0, 0, 1, 1]
    )  # arm 1 is in the band, arms 4 and 5 are unknown, and p (1 - p) is 1/4 for all three
    np.testing.assert_allclose(
        teacher.report(state)["probabilities"], 0.9 * weight / 3 + 0.1 / 6, rtol=1e-5
    )
    narrow = teachers.balanced_filtering(ARMS, dataclasses.replace(config, low=0.6, min_episodes=1))
    every = episodes_of(
        np.arange(6).repeat(4), np.zeros(24), [0, 0, 0, 1] * 3 + [1, 1, 1, 0] * 2 + [1] * 4
    )
    state = after(narrow, every)
    np.testing.assert_allclose(
        narrow.report(state)["probabilities"][3:],
        0.9 * np.array([0.5, 0.5, 0]) + 0.1 / 6,
        rtol=1e-5,
    )


def test_balanced_filtering_without_any_arm_in_the_band_takes_the_nearest():
    config = teachers.BalancedFilteringConfig(
        window=8, min_episodes=1, low=0.5, high=0.5, exploration=0.0
    )
    teacher = teachers.balanced_filtering(ARMS, config)
    none = [0] * 8
    solved = np.array(none + [1] + none[1:] + [1, 1] + none[2:] + [1] * 8 + [1] * 7 + [0] + none)
    rate = np.array([0, 1 / 8, 2 / 8, 1, 7 / 8, 0])
    state = after(teacher, episodes_of(np.arange(6).repeat(8), solved, solved))
    np.testing.assert_allclose(
        teacher.report(state)["probabilities"],
        rate * (1 - rate) / np.sum(rate * (1 - rate)),
        rtol=1e-5,
    )
    flat = after(teacher, episodes_of(np.arange(6).repeat(8), np.zeros(48)))
    np.testing.assert_allclose(teacher.report(flat)["probabilities"], np.full(6, 1 / 6), rtol=1e-5)


def test_missing_skill_is_its_closed_form():
    arm, returns, solved, _ = drifting_student(3)
    arm, returns, solved = arm[:300], returns[:300], solved[:300] | (arm[:300] == 2)
    seen = arm != 5
    teacher = teachers.missing_skill(
        ARMS, teachers.MissingSkillConfig(window=10, missing_from=0.45, exploration=0.2)
    )
    episodes = episodes_of(arm[seen], returns[seen], solved[seen])
    state = after(teacher, episodes)
    failure = 1 - success_rates(arm[seen], solved[seen], 10)[0]
    failure[5] = 1  # never tried
    profile = np.where(failure >= 0.45, failure, 0)
    assert profile[2] == 0 and 1 < np.sum(profile > 0) < 6
    np.testing.assert_allclose(
        teacher.report(state)["probabilities"], 0.8 * profile / profile.sum() + 0.2 / 6, rtol=1e-5
    )


@pytest.mark.parametrize("return_range", [None, (-1.0, 3.0)])
def test_skill_it_is_its_closed_form(return_range):
    graph = np.abs(np.random.default_rng(4).normal(size=(6, 6))).astype(np.float32)
    config = teachers.SkillItConfig(
        learning_rate=0.3, rounds=2, round_episodes=40, window=10, return_range=return_range
    )
    teacher, (arm, returns, solved, _) = teachers.skill_it(ARMS, config, graph), drifting_student(5)
    seen, _ = one_at_a_time(
        teacher, episodes_of(arm[:200], returns[:200], solved[:200]), KEYS[:200]
    )
    loss = 1.0 - solved if return_range is None else np.clip((3 - returns) / 4, 0, 1)
    losses = [
        np.nan_to_num(success_rates(arm[:end], loss[:end], 10)[0], nan=1.0)
        for end in range(40, 200, 40)
    ]
    for i in range(200):
        past = losses[: i // 40][-2:] or [np.ones(6)]
        logits = 0.3 * graph @ np.sum(past, axis=0)
        np.testing.assert_allclose(
            seen[i], np.exp(logits) / np.exp(logits).sum(), rtol=1e-4, err_msg=f"update {i}"
        )


def test_the_graph_of_a_grid_joins_neighbours():
    space = Box(names=("x", "constant", "y"), low=(0.0, 1.0, 0.0), high=(1.0, 1.0, 1.0))
    graph = teachers.grid_graph(teachers.arms.cells(space, (2, 5, 3)), 0.25)
    expected = np.eye(6) + 0.25 * (
        np.kron(np.eye(2), [[0, 1, 0], [1, 0, 1], [0, 1, 0]]) + np.kron([[0, 1], [1, 0]], np.eye(3))
    )
    np.testing.assert_array_equal(graph, expected)


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
