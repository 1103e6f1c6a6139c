"""Memories with gates against flax's cells, one step after another: values and gradients."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum.learners.networks import LAYERS
from jaxcurriculum.testing.compiling import quick_jit

STEPS, NUM, SIZE = 7, 3, 4
KEYS = jax.random.split(jax.random.key(0), 4)
X = jax.random.normal(KEYS[0], (STEPS, NUM, SIZE))
FIRST = jax.random.bernoulli(KEYS[1], 0.3, (STEPS, NUM))


def of_gru(params):
    """The parameters of our layer as those of flax's cell."""
    kernels = jnp.split(params["recurrent_kernel"], 3, axis=-1)
    biases = jnp.split(params["recurrent_bias"], 3)
    inputs = [params[name]["kernel"] for name in ("reset", "update", "candidate")]
    ours = {f"h{gate}": {"kernel": kernel} for gate, kernel in zip("rzn", kernels)}
    ours |= {f"i{gate}": {"kernel": kernel} for gate, kernel in zip("rzn", inputs)}
    ours["ir"]["bias"], ours["iz"]["bias"], ours["hn"]["bias"] = biases
    ours["in"]["bias"] = params["candidate"]["bias"]
    return ours


def of_lstm(params):
    kernels = jnp.split(params["recurrent_kernel"], 4, axis=-1)
    biases = jnp.split(params["recurrent_bias"], 4)
    names = zip("ifgo", ("input", "forget", "candidate", "output"))
    inputs = {f"i{gate}": {"kernel": params[name]["kernel"]} for gate, name in names}
    return inputs | {
        f"h{gate}": {"kernel": kernel, "bias": bias}
        for gate, kernel, bias in zip("ifgo", kernels, biases)
    }


def step_gru(params, memory, x):
    return nn.GRUCell(SIZE).apply({"params": of_gru(params)}, memory, x)


def step_lstm(params, memory, x):
    carry = tuple(jnp.split(memory, 2, axis=-1))
    carry, output = nn.OptimizedLSTMCell(SIZE).apply({"params": of_lstm(params)}, carry, x)
    return jnp.concatenate(carry, axis=-1), output


@pytest.mark.parametrize("name, step", [("gru", step_gru), ("lstm", step_lstm)])
def test_values_and_gradients_are_those_of_flax(name, step):
    layer = LAYERS[name](SIZE)
    memory = jax.random.normal(KEYS[2], (NUM, layer.width(SIZE)))
    params = layer.init(KEYS[3], memory, X, FIRST)["params"]
    params = jax.tree.map(lambda leaf: leaf + 0.1, params)  # no bias is zero

    def ours(params, memory, x):
        return layer.apply({"params": params}, memory, x, FIRST)

    def theirs(params, memory, x):
        rows = []
        for seen, first in zip(x, FIRST):
            memory, output = step(params, jnp.where(first[:, None], 0.0, memory), seen)
            rows.append((memory, output))
        return tuple(jnp.stack(each) for each in zip(*rows))

    def slopes(run, *arguments):
        def loss(*arguments):
            memories, outputs = run(*arguments)
            return jnp.sum(jnp.sin(memories)) + jnp.sum(outputs**2)

        return jax.grad(loss, argnums=(0, 1, 2))(*arguments)

    @quick_jit
    def both(*arguments):
        return [(run(*arguments), slopes(run, *arguments)) for run in (ours, theirs)]

    own, published = (jax.tree.leaves(each) for each in both(params, memory, X))
    for one, other in zip(own, published, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
