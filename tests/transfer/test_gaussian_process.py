"""The Gaussian process against scikit-learn's, with rows that are not there."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel

from jaxcurriculum.transfer import gaussian_process as gp

RNG = np.random.default_rng(0)
POINTS, VALUES = RNG.uniform(size=(7, 2)), RNG.normal(size=7)
GRID = RNG.uniform(size=(30, 2))
KERNELS = [(0.15, 0.2, 0.05), (0.4, 1.0, 0.1), (1.0, 0.5, 0.02)]


def scikit(length, deviation, noise):
    kernel = ConstantKernel(deviation**2) * RBF(length)
    process = GaussianProcessRegressor(kernel, alpha=noise**2, optimizer=None)
    return process.fit(POINTS, VALUES)


def kernel_of(*numbers):
    return gp.Kernel(*(jnp.float32(number) for number in numbers))


def observed_with_gaps():
    """The same observations in rows 2, 4, 5 ... of twelve, with nan in the others."""
    rows = np.array([2, 4, 5, 7, 8, 10, 11])
    points, values = np.full((12, 2), 0.5, np.float32), np.full(12, np.nan, np.float32)
    points[rows], values[rows] = POINTS, VALUES
    known = np.isin(np.arange(12), rows)
    return gp.Observed(jnp.asarray(points), jnp.asarray(values), jnp.asarray(known))


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_posterior_is_that_of_scikit_learn(kernel):
    mean, sd = gp.posterior(kernel_of(*kernel), observed_with_gaps(), jnp.float32(GRID))
    expected_mean, expected_sd = scikit(*kernel).predict(GRID, return_std=True)
    np.testing.assert_allclose(mean, expected_mean, atol=2e-3)
    np.testing.assert_allclose(sd, expected_sd, atol=2e-3)


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_likelihood_is_that_of_scikit_learn(kernel):
    ours = gp.log_marginal_likelihood(kernel_of(*kernel), observed_with_gaps())
    np.testing.assert_allclose(ours, scikit(*kernel).log_marginal_likelihood_value_, rtol=1e-3)


def test_without_an_observation_it_is_the_prior():
    nothing = observed_with_gaps().replace(known=jnp.zeros(12, bool))
    mean, sd = jax.jit(gp.posterior)(kernel_of(0.15, 0.2, 0.05), nothing, jnp.float32(GRID))
    np.testing.assert_array_equal(mean, 0)
    np.testing.assert_allclose(sd, 0.2, rtol=1e-6)
