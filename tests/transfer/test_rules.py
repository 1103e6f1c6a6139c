"""MBTL's rule and its baselines against plain versions in NumPy and scikit-learn."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel
from transfer_synthetic import SLOPES, linear_gaps, training_curve

from jaxcurriculum import transfer
from jaxcurriculum.testing.compiling import quick_jit
from jaxcurriculum.transfer import MbtlRule

NUM, NUM_CONTEXTS = 8, 30
FIXED = MbtlRule(slope=0.5)


def matrix_of(seed):
    """Returns that are lost unevenly with distance."""
    rng = np.random.default_rng(seed)
    place = np.linspace(0, 1, NUM_CONTEXTS)
    trained = 0.7 + 0.2 * np.sin(6 * place + seed)
    gap = rng.uniform(0.3, 1.0, NUM_CONTEXTS)[None] * np.abs(place[:, None] - place[None])
    return np.clip(trained[:, None] - gap, 0, 1)


def fitted_process(rule):
    """scikit-learn's process: the given kernel, or the likeliest of ten runs of L-BFGS."""
    constant = ConstantKernel(rule.deviation**2, (1e-3, 1e3))
    return GaussianProcessRegressor(
        constant * RBF(rule.length, (1e-2 * rule.length, 1e2 * rule.length)),
        alpha=rule.noise**2,
        optimizer="fmin_l_bfgs_b" if rule.fitted else None,
        n_restarts_optimizer=9 if rule.fitted else 0,
        random_state=0,
    )


def gains_by_hand(matrix, trained, rule):
    """The acquisition of every context after `trained`, one number after the other."""
    place = np.linspace(0, 1, NUM_CONTEXTS)
    distance = np.abs(place[:, None] - place[None])
    seen = np.array([matrix[trained[: n + 1], i].max() for n, i in enumerate(trained)])
    centre = 0.0 if rule.zero_mean else seen.mean()
    process = fitted_process(rule).fit(place[trained, None], seen - centre)
    mean, sd = process.predict(place[:, None], return_std=True)
    slope = rule.slope
    if slope is None:
        lost = sum(distance[i] @ (matrix[i, i] - matrix[i]) for i in trained)
        slope = max(0.0, lost / sum(distance[i] @ distance[i] for i in trained))
    optimistic = centre + mean + np.sqrt(np.log(len(trained) + 1)) * sd
    best = matrix[trained].max(axis=0)
    gains = np.maximum(optimistic[:, None] - slope * distance - best[None], 0).mean(axis=1)
    gains[trained] = -np.inf
    return gains


@pytest.mark.parametrize(
    "rule",
    [FIXED, MbtlRule(), dataclasses.replace(FIXED, zero_mean=True)],
    ids=["told the slope", "slope from rows", "zero mean"],
)
def test_every_choice_is_the_best_by_hand(rule):
    matrices = np.stack([matrix_of(seed) for seed in range(4)])
    orders = quick_jit(jax.vmap(lambda matrix: transfer.mbtl(matrix, NUM, rule)))(
        jnp.asarray(matrices, jnp.float32)
    )
    for matrix, order in zip(matrices, np.asarray(orders)):
        assert order[0] in (NUM_CONTEXTS // 2 - 1, NUM_CONTEXTS // 2)
        for num in range(1, NUM):
            gains = gains_by_hand(matrix, order[:num], rule)
            assert gains[order[num]] >= gains.max() - 1e-4
        assert len(set(order)) == NUM


@pytest.mark.filterwarnings("ignore:.*close to the specified")
def test_the_published_rule_fits_as_well_as_scikit_learn():
    """Its grid of kernels is coarser than L-BFGS, so its choices are nearly the best. With one
    observation every length is as likely, and scikit-learn's is a matter of rounding.
    """
    rule = MbtlRule.paper(NUM_CONTEXTS)
    matrix = matrix_of(0)
    order = np.asarray(quick_jit(lambda m: transfer.mbtl(m, 5, rule))(jnp.float32(matrix)))
    for num in (2, 4):
        gains = gains_by_hand(matrix, order[:num], rule)
        assert gains[order[num]] >= gains.max() - 0.02


def test_the_oracle_and_the_coverage_are_those_of_a_loop():
    for seed in range(3):
        matrix, order, scores = matrix_of(seed), [], []
        for _ in range(NUM):
            means = [matrix[[*order, i]].max(axis=0).mean() for i in range(NUM_CONTEXTS)]
            order.append(int(np.argmax(means)))
            scores.append(max(means))
        ours = transfer.sequential_oracle(jnp.float32(matrix), NUM)
        covered = transfer.coverage(jnp.float32(matrix), ours)
        np.testing.assert_allclose(covered, scores, atol=1e-6)
        bound = transfer.oracle_transfer(jnp.float32(matrix))
        np.testing.assert_allclose(bound, matrix.max(axis=0).mean(), rtol=1e-6)
        np.testing.assert_allclose(
            transfer.independent(jnp.float32(matrix)), np.diag(matrix).mean(), rtol=1e-6
        )
        assert covered[-1] <= bound + 1e-6


def test_orders_that_do_not_look():
    assert transfer.equidistant(100, 4).tolist() == [87, 62, 37, 12]
    # 50; from it to the ends; then the widest gaps: 17 to 50 and 50 to 83, rounded to even
    assert transfer.pseudo_greedy(100, 5).tolist() == [50, 17, 83, 34, 66]
    order = transfer.random(jax.random.key(0), 10, 10)
    assert sorted(order.tolist()) == list(range(10))
    for num in (1, 2, 3, 5, 8, 20):  # also where all gaps are closed but one
        for make in (transfer.equidistant, transfer.pseudo_greedy):
            assert sorted(make(num, num).tolist()) == list(range(num))


def test_the_published_rule_loses_to_random_and_ours_does_not():
    def means(slope):
        def one(key):
            matrix = linear_gaps(training_curve(key), slope)
            orders = [transfer.mbtl(matrix, NUM, rule) for rule in (MbtlRule(), MbtlRule.paper())]
            covered = [transfer.coverage(matrix, order) for order in orders]
            drawn = jax.vmap(lambda key: transfer.random(key, 100, NUM))(jax.random.split(key, 50))
            by_chance = jax.vmap(transfer.coverage, (None, 0))(matrix, drawn)
            return jnp.stack([*covered, by_chance.mean(axis=0)])

        keys = jax.random.split(jax.random.key(0), 10)
        return jax.vmap(one)(keys).mean(axis=0)  # over curves

    found = np.asarray(quick_jit(jax.vmap(means))(jnp.array(SLOPES)))  # [slope, rule, policies]
    ours, paper, random = found.swapaxes(0, 1)[:, :, 2:]
    assert (ours > random).all() and (ours > paper).all()
    assert (paper[0] < random[0]).all(), "where the world loses more than the rule assumes"


EYE = jnp.eye(4)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (lambda: transfer.mbtl(EYE, 5), "num must be an integer from 1 to 4 contexts, got 5"),
        (lambda: transfer.mbtl(EYE[:3], 2), r"must be square, got the shape \(3, 4\)"),
        (lambda: transfer.mbtl(EYE, 2, points=EYE[:3]), r"points must be \[4, dims\]"),
        (lambda: transfer.coverage(EYE[0], [0]), r"must be square, got the shape \(4,\)"),
        (lambda: transfer.mbtl(EYE / 0, 2), "matrix must be finite"),
        (lambda: transfer.coverage(EYE, [0, 7]), "order must be of contexts 0 to 3, got 7"),
        (lambda: transfer.coverage(EYE, [-1]), "order must be of contexts 0 to 3, got -1"),
        (lambda: transfer.coverage(EYE, []), r"list of contexts, .* got float32\[0\]"),
        (lambda: transfer.coverage(EYE, [[0]]), r"list of contexts, .* got int32\[1, 1\]"),
        (lambda: transfer.equidistant(4, 0), "num must be an integer from 1 to 4 contexts, got 0"),
        (lambda: transfer.pseudo_greedy(0, 1), "num_contexts must be a positive integer, got 0"),
        (lambda: transfer.mbtl(EYE, 2, MbtlRule), "rule must be of the type MbtlRule"),
        (lambda: transfer.mbtl("abc", 2), "must be square, of numbers, got 'abc'"),
        (lambda: transfer.mbtl([[1, 0], [1]], 2), r"of numbers, got \[\[1, 0\], \[1\]\]"),
        (lambda: transfer.independent(None), "must be square, of numbers, got None"),
        (lambda: transfer.oracle_transfer(EYE * 1j), r"of numbers, got complex64\[4, 4\]"),
        (lambda: transfer.mbtl(EYE, 2, points="abcd"), "dims.*, of numbers, got 'abcd'"),
        (lambda: transfer.mbtl(EYE, 2, points=100 * EYE), "lie in the unit cube, got one with 100"),
        (lambda: transfer.mbtl(EYE, 2, points=EYE / 0), "lie in the unit cube, got one with "),
        (
            lambda: transfer.mbtl(EYE, 2, MbtlRule(slope=jnp.ones(2))),
            r"MbtlRule.slope must be one number here, got the shape \(2,\): map over",
        ),
        (
            lambda: transfer.coverage(EYE, [[0], [1, 2]]),
            r"list of contexts, .* got \[\[0\], \[1, 2",
        ),
        (lambda: transfer.coverage(EYE, None), "list of contexts, .* got None"),
        (lambda: transfer.random(0, 3, 2), r"key must be one as of jax.random.key\(0\), got 0"),
        (lambda: transfer.random(jax.random.split(jax.random.key(0)), 3, 2), "key must be one as"),
        (lambda: transfer.line("a"), "num_contexts must be a positive integer, got 'a'"),
        (lambda: MbtlRule.paper(1), "num_contexts must be an integer from 2 on, got 1"),
        (lambda: MbtlRule(slope=-1), "MbtlRule.slope must be a finite number of at least 0"),
    ],
)
def test_what_is_no_question_is_refused(rule, message):
    with pytest.raises((TypeError, ValueError), match=message):
        rule()
