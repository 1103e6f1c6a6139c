"""CLUTR's builder chooses points of the unit cube, from a beta distribution an axis."""

import numpy as np
from scipy.special import betaln, digamma, polygamma


def softplus(x):
    return np.logaddexp(0, x)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def parameters(numbers):
    """Alpha and beta of every axis, from the policy's `numbers`, [..., 2 dims]."""
    return np.split(1 + softplus(numbers), 2, axis=-1)


class Beta:
    """The distribution of points, [..., dims]."""

    @staticmethod
    def log_prob(numbers, point):
        alpha, beta = parameters(numbers)
        each = (alpha - 1) * np.log(point) + (beta - 1) * np.log1p(-point) - betaln(alpha, beta)
        return each.sum(-1)

    @staticmethod
    def slope(numbers, point):
        alpha, beta = parameters(numbers)
        both = digamma(alpha + beta)
        each = [np.log(point) - digamma(alpha) + both, np.log1p(-point) - digamma(beta) + both]
        return np.concatenate(each, axis=-1) * sigmoid(numbers)

    @staticmethod
    def slope_of_entropy(numbers):
        alpha, beta = parameters(numbers)
        rest = (alpha + beta - 2) * polygamma(1, alpha + beta)
        each = [rest - (one - 1) * polygamma(1, one) for one in (alpha, beta)]
        return np.concatenate(each, axis=-1) * sigmoid(numbers)
