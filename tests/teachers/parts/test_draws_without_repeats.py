"""Draws without replacement: those of an urn, one after the other."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import chisquare

from jaxcurriculum.teachers.parts.sampling import without_repeats
from jaxcurriculum.testing.compiling import quick_jit


def test_they_are_those_of_an_urn():
    """P(i, then j) = p_i p_j / (1 - p_i)."""
    probs, num = np.array([0.5, 0.3, 0.15, 0.05]), 20_000
    keys = jax.random.split(jax.random.key(0), num)
    draw = jax.vmap(lambda key: without_repeats(key, jnp.asarray(probs, jnp.float32), 2))
    drawn = np.asarray(quick_jit(draw)(keys))
    pairs = list(itertools.permutations(range(4), 2))
    seen = [np.sum(np.all(drawn == pair, axis=1)) for pair in pairs]
    expected = [num * probs[i] * probs[j] / (1 - probs[i]) for i, j in pairs]
    assert sum(seen) == num and chisquare(seen, expected).pvalue > 0.01


def test_what_cannot_come_never_comes_and_the_rest_comes_again():
    draw = quick_jit(without_repeats, static_argnums=2)
    drawn = np.asarray(draw(jax.random.key(1), jnp.array([0.0, 1e-30, 0.0, 1.0, 1e-9]), 8))
    np.testing.assert_array_equal(drawn, [3, 4, 1, 3, 4, 1, 3, 4])
    np.testing.assert_array_equal(draw(jax.random.key(1), jnp.zeros(3), 4), np.zeros(4))
