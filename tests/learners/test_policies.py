"""Distributions over the actions of a box, against scipy's."""

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

from jaxcurriculum import Box, Discrete, Product
from jaxcurriculum.learners.policies import head_size, policy_distribution
from jaxcurriculum.testing.compiling import quick_jit

BOX = Box(names=("x", "y"), low=(-1.0, 2.0), high=(3.0, 2.5))
NUMBERS = np.array([[0.3, -2.0, 1.0, 4.0], [0.0, 0.0, 30.0, -30.0]])


def test_a_beta_policy_is_scipys_between_the_bounds():
    policy = policy_distribution(BOX, jnp.array(NUMBERS, jnp.float32), None)
    alpha, beta = np.split(1 + np.logaddexp(0, NUMBERS), 2, axis=-1)
    low, width = np.array(BOX.low), np.subtract(BOX.high, BOX.low)
    known = stats.beta(alpha, beta, loc=low, scale=width)
    action = low + width * np.array([[0.2, 0.9], [0.4, 0.5]])
    found = quick_jit(policy.log_prob)(jnp.array(action, jnp.float32))
    np.testing.assert_allclose(found, known.logpdf(action).sum(1), rtol=1e-4)
    np.testing.assert_allclose(policy.entropy(), known.entropy().sum(1), rtol=1e-3)
    np.testing.assert_allclose(
        policy.mode()[0], low + width * (alpha - 1)[0] / (alpha + beta - 2)[0], rtol=1e-5
    )
    drawn = np.asarray(
        quick_jit(lambda: policy.sample(seed=jax.random.key(0), sample_shape=4000))()
    )
    np.testing.assert_allclose(drawn.mean(0), known.mean(), atol=0.05)
    np.testing.assert_allclose(drawn.std(0), known.std(), atol=0.05)


def test_a_beta_policy_stays_finite_at_the_edges_of_its_box():
    """Where a number is drawn that float32 rounds to a bound, or an axis has no width."""
    flat = Box(names=("x", "y"), low=(0.0, 2.0), high=(1.0, 2.0))
    extremes = jnp.array([300.0, -300.0, -300.0, -300.0])

    def surprise(numbers, action):
        return policy_distribution(flat, numbers, None).log_prob(action)

    @quick_jit
    def found(numbers):
        policy = policy_distribution(flat, numbers, None)
        drawn = policy.sample(seed=jax.random.key(0), sample_shape=100)
        actions = jnp.concatenate([drawn, jnp.array([flat.low, flat.high])])
        of_each = jax.vmap(jax.value_and_grad(surprise), in_axes=(None, 0))
        return policy.mode(), of_each(numbers, actions)

    mode, numbers = found(extremes)
    assert all(bool(jnp.isfinite(leaf).all()) for leaf in numbers)
    assert mode.tolist() == [1.0, 2.5] and flat.clip(mode)[1] == 2.0


def test_in_a_product_every_box_has_two_numbers_an_axis():
    actions = Product(move=Discrete(num=3), force=BOX)
    assert head_size(actions, has_std=False) == 3 + 4 and head_size(actions) == 3 + 2
    of_box = jnp.array(NUMBERS[0], jnp.float32)
    of_part = {"move": jnp.array([0.0, 9.0, 0.0]), "force": of_box}
    numbers = jnp.concatenate([of_part[name] for name in actions.parts])
    mode = policy_distribution(actions, numbers, None).mode()
    assert int(mode["move"]) == 1
    assert mode["force"].tolist() == policy_distribution(BOX, of_box, None).mode().tolist()
