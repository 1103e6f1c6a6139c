"""What a memory costs: gradients over whole sequences, LSTM and S5 against GRU.

32,768 steps in sequences of 64, 256 and 1,024, one layer of 64 features, one core. A ratio is the
median over calls of both that alternate in one process.
"""

from __future__ import annotations

from typing import Any

from bench.measure import pin, times_as_fast

COLUMNS = ("what", "steps a sequence", "ms", "times a GRU's speed")
NUM_SAMPLES = 32_768
SIZE = 64  # features


def measure(quick: bool) -> list[dict[str, Any]]:
    """A row for each memory and length of sequences."""
    rows = []
    for length in (64, 256, 1024):
        calls = {name: gradient(name, length) for name in ("gru", "lstm", "s5")}
        for name, call in calls.items():
            ratio, seconds = times_as_fast(call, calls["gru"], repeats=3 if quick else 11)
            row = {"what": name, "steps a sequence": length, "ms": 1e3 * seconds}
            rows.append(row | {"times a GRU's speed": ratio})
    return rows


def gradient(name: str, length: int):
    """A call that computes the gradient of policy and value by every parameter."""
    import jax
    import jax.numpy as jnp

    from jaxcurriculum import Discrete
    from jaxcurriculum.learners.networks import LAYERS, recurrent

    network = recurrent(LAYERS[name], Discrete(num=4), (SIZE,), SIZE, 1, 0.0)
    num = NUM_SAMPLES // length
    obs = jax.random.normal(jax.random.key(0), (length, num, 8))
    first = jax.random.bernoulli(jax.random.key(1), 0.02, (length, num))
    params = jax.jit(network.init)(jax.random.key(2), obs[:1, :1])

    @jax.jit
    def slope(params):
        def loss(params):
            _, policy, value = network.unroll(params, network.memory(num), obs, first)
            return jnp.mean(policy.entropy() + value**2)

        return jax.grad(loss)(params)

    return lambda: slope(params)


if __name__ == "__main__":
    from bench.report import main

    pin(1)
    main(measure)
