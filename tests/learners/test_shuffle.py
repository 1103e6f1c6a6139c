"""Every order is one of all numbers, and all are equally likely."""

import math

import jax
import numpy as np
import pytest
from scipy import stats

from jaxcurriculum.learners.shuffle import random_order


def orders(num, num_orders):
    keys = jax.random.split(jax.random.key(num), num_orders)
    return np.asarray(jax.jit(jax.vmap(lambda key: random_order(key, num)))(keys))


@pytest.mark.parametrize("num", [1, 2, 7, 64, 1000])
def test_an_order_has_every_number_once(num):
    np.testing.assert_array_equal(np.sort(orders(num, 20)), np.tile(np.arange(num), (20, 1)))


def test_all_orders_of_four_are_equally_likely():
    found = orders(4, 48_000) @ (64, 16, 4, 1)
    counts = np.unique(found, return_counts=True)[1]
    assert len(counts) == math.factorial(4)
    assert stats.chisquare(counts).pvalue > 1e-3


def test_neighbours_have_nothing_to_do_with_each_other():
    found = orders(64, 20_000)
    apart = (found[:, 1:] - found[:, :-1]) % 64
    assert stats.chisquare(np.bincount(apart.ravel())[1:]).pvalue > 1e-3
