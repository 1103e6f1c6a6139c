"""Gaussians as flat float64 parameters: divergence and objective in plain NumPy."""

import numpy as np
from scipy.stats import multivariate_normal


def plain_factor(flat, dims):
    factor = np.diag(np.exp(flat[dims : 2 * dims]))
    factor[np.tril_indices(dims, -1)] = flat[2 * dims :]
    return factor


def plain_kl(p, q, dims):
    """KL of flat parameters (mean, log-diagonal, below), in float64."""
    p, q = np.asarray(p, np.float64), np.asarray(q, np.float64)
    covariance_p, covariance_q = (plain_factor(x, dims) @ plain_factor(x, dims).T for x in (p, q))
    shift, precision = q[:dims] - p[:dims], np.linalg.inv(covariance_q)
    log_det = np.linalg.slogdet(covariance_q)[1] - np.linalg.slogdet(covariance_p)[1]
    return 0.5 * (np.trace(precision @ covariance_p) - dims + shift @ precision @ shift + log_det)


def plain_objective(x, old, points, values, dims):
    """Mean of the importance-weighted values of points [num, dims], in float64."""
    x, old = np.asarray(x, np.float64), np.asarray(old, np.float64)

    def density(flat):
        factor = plain_factor(flat, dims)
        return multivariate_normal(flat[:dims], factor @ factor.T).logpdf(points)

    return np.mean(np.exp(density(x) - density(old)) * np.asarray(values, np.float64))


def random_flats(rng, num, dims):
    """Means in the unit cube, standard deviations of 0.02 to 0.5, strong correlations."""
    means, logs = rng.uniform(0, 1, (num, dims)), np.log(rng.uniform(0.02, 0.5, (num, dims)))
    below = rng.normal(0, 0.1, (num, dims * (dims - 1) // 2))
    return np.concatenate([means, logs, below], axis=1).astype(np.float32)
