"""Bandit teachers whose probabilities have a closed form."""

import dataclasses

import numpy as np
import pytest
from bandits import ARMS, KEYS, NUM_ARMS, after, drifting_student, episodes_of, one_at_a_time

from jaxcurriculum import Box, teachers


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
