"""The linear state space: its recurrence by hand, and the matrix that it starts from."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import learners
from jaxcurriculum.learners.networks.s5 import all_at_once, hippo, linear_recurrence
from jaxcurriculum.testing import probes
from jaxcurriculum.testing.compiling import quick_jit


def complex_numbers(chance, *shape):
    numbers = chance.normal(size=(2, *shape)).astype(np.float32)
    return numbers[0] + 1j * numbers[1]


@pytest.mark.parametrize("recurrence", [linear_recurrence, all_at_once])
@pytest.mark.parametrize("num_steps", [1, 2, 13])
def test_a_recurrence_is_one_step_after_another(num_steps, recurrence):
    """With the state forgotten at random steps, of one sequence at the very first."""
    chance = np.random.default_rng(num_steps)
    inputs, start = complex_numbers(chance, num_steps, 3, 4), complex_numbers(chance, 3, 4)
    decay = 0.7 * complex_numbers(chance, num_steps, 3, 4)
    decay[chance.random((num_steps, 3)) < 0.3] = 0
    decay[0] = decay[0] * (np.arange(3) != 1)[:, None]
    state, expected = start, []
    for transition, x in zip(decay, inputs):
        state = transition * state + x
        expected.append(state)
    got = quick_jit(recurrence)(*map(jnp.asarray, (decay, inputs, start)))
    np.testing.assert_allclose(got, np.stack(expected), atol=1e-5)


def test_it_starts_from_the_normal_part_of_hippo():
    """LegS: A = -(n + 1) on the diagonal, -sqrt((2n + 1)(2k + 1)) below; A + P P^T is normal."""
    size = 8
    n = np.arange(size)
    below = np.sqrt(np.outer(2 * n + 1, 2 * n + 1))
    legs = -np.tril(below, -1) - np.diag(n + 1.0)
    normal = legs + np.outer(np.sqrt(n + 0.5), np.sqrt(n + 0.5))
    frequencies, vectors = hippo(size)
    eigenvalues = -0.5 + 1j * frequencies
    np.testing.assert_allclose(normal @ vectors, vectors * eigenvalues, atol=1e-10)
    both = vectors @ np.diag(eigenvalues) @ vectors.conj().T
    np.testing.assert_allclose(2 * both.real, normal, atol=1e-10)


def test_an_odd_size_is_refused():
    with pytest.raises(ValueError, match="memory_size must be even for S5, got 7"):
        learners.ppo(probes.remember(), learners.PpoConfig(memory="s5", memory_size=7), 2)
