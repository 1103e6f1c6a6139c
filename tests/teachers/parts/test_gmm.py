"""The mixture fit against scikit-learn's, on the same data and from the same start, and against
planted truths.
"""

import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from jaxcurriculum import teachers
from jaxcurriculum.students import simulated
from jaxcurriculum.teachers.parts import gmm
from jaxcurriculum.testing.compiling import quick_jit

CANDIDATES = tuple(range(2, 11))
NUM = 250


def scikit_mixture(data: np.ndarray, labels: np.ndarray, components: int) -> GaussianMixture:
    """scikit-learn's EM in float64, started from the clusters `labels` with the M step of a
    mixture.
    """
    member = np.eye(components)[labels]
    mass = member.sum(0) + 10 * np.finfo(float).eps
    means = member.T @ data / mass[:, None]
    centred = data[None] - means[:, None]
    covariances = np.einsum("nk,kni,knj->kij", member, centred, centred) / mass[
        :, None, None
    ] + 1e-6 * np.eye(data.shape[1])
    start = {
        "init_params": "random",
        "weights_init": mass / mass.sum(),
        "means_init": means,
        "precisions_init": np.linalg.inv(covariances),
    }
    return GaussianMixture(components, reg_covar=1e-6, tol=1e-3, max_iter=100, **start).fit(data)


def walker_window(rng: np.random.Generator, raw_returns: bool) -> np.ndarray:
    """A window such as ALP-GMM sees on Stump Tracks: tasks of a few Gaussians clipped to the
    box, progress where it is easy.
    """
    centres, spreads = rng.uniform(0, [3, 6], (4, 2)), rng.uniform(0.05, 1.5, (4, 2))
    origin = rng.integers(0, 5, NUM)
    drawn = np.where(
        (origin == 4)[:, None],
        rng.uniform(0, [3, 6], (NUM, 2)),
        rng.normal(centres[origin % 4], spreads[origin % 4]),
    )
    tasks = np.clip(drawn, 0, [3, 6])
    progress = (
        np.abs(rng.normal(0, 0.2, NUM))
        * (tasks[:, 0] < rng.uniform(0.5, 3))
        * (rng.random(NUM) < 0.8)
    )
    return np.column_stack([tasks, (500 if raw_returns else 1) * progress])


def no_progress_window(rng: np.random.Generator) -> np.ndarray:
    window = walker_window(rng, False)
    window[:, -1] = 0
    return window


def toy_windows(num_seeds: int, num_fits: int) -> np.ndarray:
    """What ALP-GMM really fitted on the toy grid, [num_seeds * num_fits, NUM, 3]."""
    student = simulated.toy_grid(simulated.ToyGridConfig(episodes_per_round=NUM))
    teacher = teachers.alp_gmm(student.task_space, teachers.AlpGmmConfig(return_range=None))

    def one_round(states, key):
        keys = jax.random.split(key, 3)
        teacher_state, proposals = teacher.propose(keys[0], states[0], NUM)
        student_state, episodes = student.train(keys[1], states[1], proposals, jnp.int32(0))
        teacher_state, _ = teacher.update(keys[2], teacher_state, episodes, None)
        return (teacher_state, student_state), teacher_state.window.values.T

    def run(key):
        return jax.lax.scan(
            one_round, (teacher.init(key), student.init(key)), jax.random.split(key, num_fits)
        )[1]

    windows = jax.jit(jax.vmap(run))(jax.random.split(jax.random.key(7), num_seeds))
    return np.asarray(windows).reshape(-1, NUM, 3)


def recorded_windows() -> np.ndarray:
    """Windows of the study on Stump Tracks (README; four seeds, five moments each), with scaled
    and with raw returns, [40, NUM, 3].
    """
    windows = np.load(
        pathlib.Path(__file__).parents[3] / "references" / "stump_tracks_windows.npz"
    )["windows"]
    on_a_face = (windows[:, :, :2] == [0, 0]) | (windows[:, :, :2] == [3, 6])
    assert on_a_face.any(axis=2).mean() > 0.03 and windows[:, :, 3].max() > 200
    return np.concatenate([windows[:, :, [0, 1, 2]], windows[:, :, [0, 1, 3]]])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # EM cut at 100 steps, in both
def test_a_hundred_windows_agree_with_scikit_learn():
    rng = np.random.default_rng(0)
    windows = [walker_window(rng, raw) for raw in (False, True) for _ in range(20)]
    windows += [no_progress_window(rng) for _ in range(15)]
    windows = np.concatenate(
        [np.array(windows), recorded_windows()[::2], toy_windows(num_seeds=5, num_fits=10)[::2]]
    ).astype(np.float32)
    assert len(windows) == 100

    def fit(key, data):
        labels = gmm.kmeans(key, data, CANDIDATES, jnp.array(True))
        return labels, gmm.expectation_maximisation(data, labels, CANDIDATES, jnp.array(True))[1]

    labels, log_likelihood = jax.device_get(
        jax.jit(jax.vmap(fit))(jax.random.split(jax.random.key(0), 100), windows)
    )
    criterion = jax.vmap(lambda x: gmm.aic(x, CANDIDATES, NUM, 3))(log_likelihood)
    reference = np.zeros((100, len(CANDIDATES)))
    with threadpool_limits(1):  # these matrices are too small for threads
        for n, data in enumerate(windows.astype(float)):
            reference[n] = [
                scikit_mixture(data, labels[n, i], k).score(data) for i, k in enumerate(CANDIDATES)
            ]
    difference = np.abs(reference - np.asarray(log_likelihood, float))
    chosen = np.asarray(criterion).argmin(1)
    chosen_by_reference = [int(np.argmin(gmm.aic(row, CANDIDATES, NUM, 3))) for row in reference]
    assert np.mean(chosen == chosen_by_reference) >= 0.95
    assert np.max(difference[np.arange(100), chosen]) < 1e-3
    # EM can creep by just the tolerance a step, and then rounding decides which stops first: in 1
    # to 3 of 1800 fits, with different options of XLA.
    assert np.sum(difference >= 1e-3) <= 2


@pytest.mark.parametrize("dims", [3, gmm.MOST_WRITTEN_OUT + 4])
def test_em_is_scikit_learns_in_few_and_in_many_dims(dims):
    """Points about three correlated Gaussians, in a program that is written out and in a loop."""
    rng = np.random.default_rng(dims)
    labels = rng.integers(0, 3, NUM)
    factors = rng.normal(size=(3, dims, dims))
    noise = rng.normal(size=(NUM, dims))
    data = 2.0 * labels[:, None] + np.einsum("nij,nj->ni", factors[labels], noise)
    mixtures, log_likelihood = quick_jit(gmm.expectation_maximisation, static_argnums=2)(
        jnp.array(data, jnp.float32), jnp.array(labels)[None], (3,), jnp.array(True)
    )
    reference = scikit_mixture(data, labels, 3)
    np.testing.assert_allclose(log_likelihood[0], reference.score(data), atol=1e-3)
    np.testing.assert_allclose(mixtures.means[0], reference.means_, atol=2e-3)
    np.testing.assert_allclose(gmm.covariances(mixtures)[0], reference.covariances_, atol=0.02)


@pytest.mark.parametrize("dims", [1, 2, 8, 12])
def test_planted_mixture_is_found(dims):
    rng = np.random.default_rng(dims)
    means = np.stack(
        [
            np.full(dims, -3.0),
            np.full(dims, 3.0),
            np.resize([-3.0, 3.0], dims) if dims > 1 else np.array([9.0]),
        ]
    )
    factors = np.tril(rng.normal(0, 0.3, (3, dims, dims))) + 0.5 * np.eye(dims)
    which = rng.choice(3, 2000, p=[0.5, 0.3, 0.2])
    data = means[which] + np.einsum("nij,nj->ni", factors[which], rng.normal(size=(2000, dims)))
    mixture = quick_jit(lambda data: gmm.fit(jax.random.key(0), data, (1, 2, 3), jnp.array(True)))(
        jnp.array(data, jnp.float32)
    )
    order = [
        int(np.argmin(np.sum((np.asarray(mixture.means) - mean) ** 2, axis=1))) for mean in means
    ]
    assert sorted(order) == [0, 1, 2]
    for k, found in enumerate(order):
        own = data[which == k]
        np.testing.assert_allclose(mixture.weights[found], len(own) / 2000, atol=0.01)
        np.testing.assert_allclose(mixture.means[found], own.mean(0), atol=0.05)
        np.testing.assert_allclose(
            gmm.covariances(mixture)[found], np.cov(own.T, bias=True).reshape(dims, dims), atol=0.06
        )


def test_collapsed_component_keeps_the_floor():
    """Rows on one point: the covariance is the regularisation, in the axes' own units, even
    beside an axis in the hundreds.
    """
    rng = np.random.default_rng(0)
    data = np.concatenate(
        [np.tile([[1.0, 200.0]], (50, 1)), rng.normal([5.0, 0.0], [1.0, 100.0], (200, 2))]
    ).astype(np.float32)
    labels = jnp.array([[0] * 50 + [1] * 200], jnp.int32)
    mixtures, _ = gmm.expectation_maximisation(jnp.array(data), labels, (2,), jnp.array(True))
    np.testing.assert_allclose(
        gmm.covariances(mixtures)[0, 0], 1e-6 * np.eye(2), rtol=1e-2, atol=1e-8
    )


def test_kmeans_is_a_fixed_point_as_good_as_scikit_learns():
    rng = np.random.default_rng(0)
    data = np.concatenate(
        [rng.normal(centre, 0.1, (25, 3)) for centre in rng.uniform(-2, 2, (10, 3))]
    ).astype(np.float32)
    fits = quick_jit(jax.vmap(lambda key: gmm.kmeans(key, data, (4, 10), jnp.array(True))))(
        jax.random.split(jax.random.key(0), 50)
    )
    for candidate, components in enumerate((4, 10)):
        inertias = []
        for labels in np.asarray(fits[:, candidate]):
            centres = np.stack([data[labels == k].mean(0) for k in range(components)])
            distance = np.sum((data[:, None] - centres[None]) ** 2, axis=-1)
            np.testing.assert_array_equal(labels, distance.argmin(1))
            inertias.append(distance.min(1).sum())
        reference = [
            KMeans(components, n_init=1, random_state=seed).fit(data).inertia_ for seed in range(50)
        ]
        assert np.mean(inertias) < 1.1 * np.mean(reference)


def test_one_seed_does_not_depend_on_the_others():
    """Bit for bit, wherever a seed stands in the batch, and nothing is asked of those not in
    need.
    """
    rng = np.random.default_rng(1)
    windows = jnp.array(np.array([walker_window(rng, False) for _ in range(6)]), jnp.float32)
    keys = jax.random.split(jax.random.key(0), 6)
    fit = quick_jit(jax.vmap(lambda key, data, needed: gmm.fit(key, data, CANDIDATES, needed)))
    together = fit(keys, windows, jnp.ones(6, bool))
    some = jnp.array([False, True, False, True, True, False])
    order = jnp.array([5, 4, 3, 2, 1, 0])
    reordered = fit(keys[order], windows[order], some[order])
    for a, b in zip(jax.tree.leaves(together), jax.tree.leaves(reordered)):
        np.testing.assert_array_equal(a[some], b[order][some])
    alone = quick_jit(lambda key, data: gmm.fit(key, data, CANDIDATES, jnp.array(True)))(
        keys[1], windows[1]
    )
    for a, b in zip(jax.tree.leaves(together), jax.tree.leaves(alone)):
        np.testing.assert_allclose(
            np.asarray(a[1], float), np.asarray(b, float), rtol=1e-3, atol=1e-4
        )


def test_draws_follow_the_gaussian():
    scales = jnp.array([[[1.0, 0.0], [0.5, 0.2]]])
    mixture = gmm.Mixture(
        weights=jnp.ones(1), means=jnp.array([[2.0, -1.0]]), scales=scales, valid=jnp.ones(1, bool)
    )
    draws = np.asarray(gmm.sample(jax.random.key(0), mixture, jnp.zeros(50_000, jnp.int32)))
    np.testing.assert_allclose(draws.mean(0), [2, -1], atol=0.02)
    np.testing.assert_allclose(np.cov(draws.T), gmm.covariances(mixture)[0], atol=0.02)
