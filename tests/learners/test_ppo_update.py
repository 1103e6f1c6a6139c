"""Discovered policy optimisation: its drift is that of the paper, and it learns."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum.learners.ppo_update import discovered_surrogate


@pytest.mark.parametrize("advantage", [-1.7, -0.01, 0.0, 0.3, 2.0])
def test_the_drift_is_the_published_one(advantage):
    for ratio in (0.3, 0.9, 1.0, 1.2, 4.0):
        if advantage >= 0:
            x = (ratio - 1) * advantage
            drift = max(0.0, x - 2 * np.tanh(x / 2))
        else:
            x = np.log(ratio) * advantage
            drift = max(0.0, x - 0.6 * np.tanh(x / 0.6))
        got = discovered_surrogate(jnp.log(ratio), jnp.float32(advantage))
        np.testing.assert_allclose(got, ratio * advantage - drift, atol=1e-5)


def test_at_the_old_policy_it_has_the_slope_of_the_policy_gradient():
    """So the drift and its slope vanish there, as mirror learning demands."""
    slope = jax.vmap(jax.grad(discovered_surrogate), in_axes=(None, 0))
    advantages = jnp.array([-2.0, -0.1, 0.0, 0.5, 3.0])
    np.testing.assert_allclose(slope(jnp.float32(0), advantages), advantages, atol=1e-6)


def test_an_action_that_became_impossible_has_a_finite_slope():
    value, slope = jax.value_and_grad(discovered_surrogate)(jnp.float32(-300), jnp.float32(-1))
    assert np.isfinite(value) and np.isfinite(slope)
