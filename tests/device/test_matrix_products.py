"""Matrix products under the options of `use_cores`, which leave them to a library."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

OPERANDS = {  # what the second factor is made of, [k, n]
    "any": lambda xp, given: given,
    "turned": lambda xp, given: xp.swapaxes(xp.swapaxes(given, -1, -2) + 1, -1, -2),
    "one number": lambda xp, given: xp.broadcast_to(given.sum(), given.shape),
    "ones": lambda xp, given: xp.ones_like(given),
    "one row": lambda xp, given: xp.broadcast_to(given[..., :1, :], given.shape),
    "one column": lambda xp, given: xp.broadcast_to(given[..., :1], given.shape),
}
AFTER = {
    "alone": lambda xp, product: product,
    "clipped": lambda xp, product: xp.maximum(2 * product - 1, 0),
}


def products(xp, pairs):
    """Each pair multiplied in all ways."""
    return [
        after(xp, left @ operand(xp, right))
        for left, right in pairs
        for operand in OPERANDS.values()
        for after in AFTER.values()
    ]


def in_a_loop(pairs):
    def step(carry, scale):
        scaled = [(scale * left, right) for left, right in pairs]
        return carry, products(jnp, scaled)

    return jax.lax.scan(step, 0, jnp.array([1.0, 3.0]))[1]


@pytest.mark.parametrize("batch", [(), (2,)])
def test_products_of_short_and_constant_factors_are_those_of_numpy(batch):
    rng = np.random.default_rng(0)
    pairs = [
        tuple(rng.normal(size=(*batch, *shape)).astype(np.float32) for shape in ((9, k), (k, n)))
        for k, n in itertools.product((1, 2, 3, 4, 16), (2, 9))
    ]
    exact = jax.tree.map(np.float64, pairs)
    thrice = [(3 * left, right) for left, right in exact]
    wanted = [np.stack(both) for both in zip(products(np, exact), products(np, thrice))]
    found = jax.jit(in_a_loop)(pairs)
    for got, expected in zip(found, wanted, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)
