"""The natural-gradient step against plain float64: divergence, bound and direction."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from jaxcurriculum.teachers.parts.trust_region import (
    DAMPING,
    MOST_WRITTEN_OUT,
    Gaussian,
    kl,
    log_density,
    trust_region_step,
)
from jaxcurriculum.testing.compiling import quick_jit
from references.gaussian_numpy import plain_factor, plain_kl, plain_objective, random_flats

FEW_AND_MANY = pytest.mark.parametrize("dims", [3, MOST_WRITTEN_OUT + 4])


def to_gaussian(flat, dims):
    flat = jnp.asarray(flat, jnp.float32)
    return Gaussian(mean=flat[:dims], log_diagonal=flat[dims : 2 * dims], below=flat[2 * dims :])


def to_flat(gaussian):
    return np.concatenate(
        [np.asarray(leaf) for leaf in (gaussian.mean, gaussian.log_diagonal, gaussian.below)],
        axis=-1,
    )


@FEW_AND_MANY
def test_divergence_is_the_closed_form_and_the_mean_log_ratio(dims):
    rng = np.random.default_rng(0)
    flats = random_flats(rng, 20, dims)
    near = flats + rng.normal(0, 1e-2, flats.shape).astype(np.float32)
    compute = quick_jit(jax.vmap(lambda p, q: kl(to_gaussian(p, dims), to_gaussian(q, dims))))
    for others in (flats[::-1], near):
        np.testing.assert_allclose(
            compute(flats, others), [plain_kl(p, q, dims) for p, q in zip(flats, others)], rtol=2e-4
        )
    p, q = np.float64(flats[0]), np.float64(near[0])
    density = [
        multivariate_normal(x[:dims], plain_factor(x, dims) @ plain_factor(x, dims).T)
        for x in (p, q)
    ]
    points = density[0].rvs(100_000, random_state=1)
    log_ratio = density[0].logpdf(points) - density[1].logpdf(points)
    np.testing.assert_allclose(
        compute(flats[:1], near[:1])[0],
        np.mean(log_ratio),
        atol=4 * np.std(log_ratio) / np.sqrt(len(points)),
    )


@FEW_AND_MANY
def test_the_bound_holds_in_float64_and_the_objective_does_not_fall(dims):
    rng, num = np.random.default_rng(1), 200
    flats = random_flats(rng, num, dims)
    noise, values = (
        rng.normal(size=(num, 60, dims)),
        rng.normal(rng.normal(0, 1, (num, 1)), 1, (num, 60)).astype(np.float32),
    )
    points = np.stack(
        [np.clip(x[:dims] + z @ plain_factor(x, dims).T, 0, 1) for x, z in zip(flats, noise)]
    ).astype(np.float32)

    def step(x, points, values, max_kl):
        old = to_gaussian(x, dims)
        before = log_density(old, points.T)
        return trust_region_step(
            old, lambda new: jnp.mean(jnp.exp(log_density(new, points.T) - before) * values), max_kl
        )

    moved = quick_jit(jax.vmap(step, in_axes=(0, 0, 0, None)))
    for max_kl in (1e-3, 0.1, 0.8):
        new = to_flat(moved(flats, points, values, jnp.float32(max_kl)))
        distance = np.array([plain_kl(a, b, dims) for a, b in zip(flats, new)])
        assert np.all(distance <= max_kl) and np.median(distance) > 0.1 * max_kl
        gain = [
            plain_objective(b, a, c, v, dims) - np.mean(v)
            for a, b, c, v in zip(flats, new, points, values)
        ]
        assert np.min(gain) >= -1e-5


def test_the_step_is_along_the_natural_gradient_of_finite_differences():
    rng, dims = np.random.default_rng(2), 2
    x = np.array([0.4, 0.6, np.log(0.2), np.log(0.1), 0.05], np.float32)
    points = x[:dims] + rng.normal(size=(80, dims)) @ plain_factor(x, dims).T
    values = 3 + points @ [1.0, -2.0] + rng.normal(0, 0.3, 80)
    target = np.array([0.5, 0.5, np.log(0.25), np.log(0.25), 0.0], np.float32)
    worth = lambda y: plain_objective(y, x, points, values, dims) - 0.3 * plain_kl(y, target, dims)
    unit, small = np.eye(5), 1e-4
    gradient = np.array([(worth(x + small * e) - worth(x - small * e)) / (2 * small) for e in unit])
    away = lambda shift: plain_kl(x, x + small * shift, dims) / small**2  # half of shift^T F shift
    fisher = np.array([[(away(a + b) - away(a - b)) / 2 for a in unit] for b in unit])
    direction = np.linalg.solve(fisher + DAMPING * unit, gradient)

    def objective(new):
        ratio = jnp.exp(
            log_density(new, jnp.float32(points.T))
            - log_density(to_gaussian(x, dims), jnp.float32(points.T))
        )
        return jnp.mean(ratio * jnp.float32(values)) - 0.3 * kl(new, to_gaussian(target, dims))

    step = (
        to_flat(
            quick_jit(lambda old: trust_region_step(old, objective, 1e-3))(to_gaussian(x, dims))
        ).astype(np.float64)
        - x
    )
    assert step @ direction / np.linalg.norm(step) / np.linalg.norm(direction) > 0.9999
