"""Lifelong metrics against cases computed by hand, and Theil-Sen's slope against its definition."""

import itertools

import numpy as np
import pytest

from jaxcurriculum.report import lifelong
from jaxcurriculum.report.lifelong import contrast, ratio

NAN = np.nan
A, B, NONE = [True, False], [False, True], [False, False]


def table(*rows):
    return np.array(rows, float)


# A beginner; two evaluations of A, two of B, one of A.
PRACTISED = np.array([NONE, A, A, B, B, A])
SCORES = table([1, 1], [41, 5], [81, 10], [61, 50], [51, 90], [101, 45])


def test_blocks_are_stretches_of_practice():
    assert lifelong.blocks(PRACTISED[:, 0]) == [(1, 3), (5, 6)]
    assert lifelong.blocks(PRACTISED[:, 1]) == [(3, 5)]
    assert lifelong.blocks(np.zeros(3, bool)) == []


def test_maintenance_is_how_far_a_resting_task_stands_above_its_latest_block():
    # A rests at 61 and 51, its block had ended at 81; B rests at 45 after 90
    expected = [(61 - 81 + 51 - 81) / 2, 45 - 90]
    np.testing.assert_allclose(lifelong.maintenance(SCORES, PRACTISED), expected)


def test_transfer_compares_a_task_before_and_after_a_block_of_another():
    # A's first block takes B from 1 to 10, before B is practised; B's takes A from 81 to 51 and A's
    # second one B from 90 to 45, both after these were practised
    forward = table([NAN, 10], [NAN, NAN])
    backward = table([NAN, 45 / 90], [51 / 81, NAN])
    found = lifelong.forward_transfer(SCORES, PRACTISED, ratio)
    np.testing.assert_allclose(found, forward)
    np.testing.assert_allclose(lifelong.backward_transfer(SCORES, PRACTISED, ratio), backward)
    by_contrast = table([NAN, -45 / 135], [-30 / 132, NAN])
    np.testing.assert_allclose(lifelong.backward_transfer(SCORES, PRACTISED), by_contrast)
    assert lifelong.forward_transfer(SCORES, PRACTISED, contrast)[0, 1] == 9 / 11


def test_without_a_beginner_the_first_evaluation_stands_for_its_test():
    found = lifelong.forward_transfer(SCORES[1:], PRACTISED[1:], ratio)
    assert found[0, 1] == 10 / 5
    single = lifelong.forward_transfer(SCORES[[2, 4]], PRACTISED[[2, 4]], ratio)
    assert np.isnan(single).all()


def test_tasks_that_are_practised_together_transfer_nothing():
    together = np.array([NONE, [True, True], [True, True]])
    for transfer in (lifelong.forward_transfer, lifelong.backward_transfer):
        assert np.isnan(transfer(SCORES[:3], together)).all()
    assert np.isnan(lifelong.maintenance(SCORES[:3], together)).all()


def test_recovery_is_the_slope_of_the_times_until_a_block_is_back():
    # blocks end at 80, 80, 90 and 70; each next one is back after 2, 1, never (3 + 1) and 0
    blocks = [[20, 80], [10, 50, 80], [70, 90, 90], [10, 40, 70], [75, 60, 10]]
    score = np.concatenate([[*block, 0.0] for block in blocks])
    on = np.concatenate([[True] * len(block) + [False] for block in blocks])
    times = [2, 1, 4, 0]
    pairs = itertools.combinations(range(4), 2)
    slope = np.median([(times[b] - times[a]) / (b - a) for a, b in pairs])
    found = lifelong.recovery(score[:, None], on[:, None])
    np.testing.assert_allclose(found, [-slope])
    assert np.isnan(lifelong.recovery(SCORES, PRACTISED)).all()  # two blocks at most


def test_terminal_performance_is_the_mean_of_the_last_tenth():
    block, after = np.arange(20.0), np.array([18.0, 18.5, 0.0])  # (18 + 19) / 2
    score = np.concatenate([block, [0.0], after, [0.0], after])[:, None]
    on = np.concatenate([np.ones(20), [0], np.ones(3), [0], np.ones(3)]).astype(bool)[:, None]
    # after 1 evaluation; the block then ends at 0, where the next one is at once
    np.testing.assert_allclose(lifelong.recovery(score, on), [1.0])


def test_relative_performance_is_the_ratio_of_areas_as_long_as_the_shorter_curve():
    experts = table([50, 30], [100, 60], [100, 90], [100, 90])
    # A's curve is 41, 81, 101 against 50, 100, 100; B's 50, 90 against 30, 60
    found = lifelong.relative_performance(SCORES, PRACTISED, experts)
    np.testing.assert_allclose(found, [223 / 250, 140 / 90])
    never = lifelong.relative_performance(SCORES, np.zeros((6, 2), bool), experts)
    assert np.isnan(never).all()


@pytest.mark.parametrize(
    "curve, expert, expected",
    [
        ([50, 80, 80], [20, 60, 90, 100], 80 / 100 * 4 / 2),
        ([10, 15, 19], [100], 0.0),  # below a fifth of the expert
        ([90, 80, 70], [100], 0.0),  # falls
        ([100], [100, 100], 1.0),
        ([50, NAN], [100], NAN),
        # a window of three: (3 + 6 + 6) / 3 first at the 12th of 15, mirrored at the ends
        ([0.0] * 10 + [3, 6, 6, 0, 0], [5.0], 5 / 5 * 1 / 12),
    ],
)
def test_sample_efficiency_is_height_times_speed(curve, expert, expected):
    practised = np.ones((len(curve), 1), bool)
    columns = (np.array(curve, float)[:, None], practised, np.array(expert, float)[:, None])
    np.testing.assert_allclose(lifelong.sample_efficiency(*columns), [expected])


def test_scores_are_scaled_over_the_run_and_its_experts():
    own, experts = lifelong.scaled(table([0, 3], [5, 3]), table([10, 3], [-10, 3]))
    np.testing.assert_allclose(own, [[51, 1], [76, 1]])
    np.testing.assert_allclose(experts, [[101, 1], [1, 1]])


def test_the_summary_is_the_mean_over_tasks_of_each_seed():
    scores = np.stack([SCORES, 7 * SCORES - 3, SCORES[::-1]])
    experts = np.tile(table([1, 1], [101, 90]), (3, 1, 1)) * np.array([1, 7, 1])[:, None, None]
    experts[1] -= 3
    found = lifelong.summary(scores, PRACTISED, experts)
    own, _ = lifelong.scaled(SCORES, experts[0])
    expected = lifelong.backward_transfer(own, PRACTISED, ratio)
    assert found["backward_transfer_ratio"][0] == pytest.approx(np.nanmean(expected))
    for name, values in found.items():
        assert values.shape == (3,)
        assert values[0] == pytest.approx(values[1], nan_ok=True), name  # any unit of the score
    assert found["maintenance"][2] != pytest.approx(found["maintenance"][0])
    assert np.isnan(found["recovery"]).all()
    alone = lifelong.summary(scores, PRACTISED)
    assert np.isnan(alone["sample_efficiency"]).all()
    assert np.isfinite(alone["maintenance"]).all()


@pytest.mark.parametrize(
    "scores, practised, experts, message",
    [
        ((6, 2), (6, 2), None, r"scores must be \[seeds, evaluations, tasks\], got .* \[6, 2\]"),
        ((1, 0, 2), (0, 2), None, r"scores must be .* \[1, 0, 2\]"),
        ((1, 6, 2), (5, 2), None, r"practised must have the shape \[1, 6, 2\], .* got \[5, 2\]"),
        ((2, 6, 2), (6, 2), (1, 6, 2), r"experts must be \[2 seeds, .*, 2 tasks\], got .*1, 6, 2"),
        ((1, 6, 2), (6, 2), (6, 2), r"experts must be .* got the shape \[6, 2\]"),
    ],
)
def test_shapes_that_do_not_fit_are_named(scores, practised, experts, message):
    experts = None if experts is None else np.zeros(experts)
    with pytest.raises(ValueError, match=message):
        lifelong.summary(np.zeros(scores), np.zeros(practised, bool), experts)
