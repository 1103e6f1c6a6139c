"""S5: a linear state space over time (Smith, Warrington and Linderman 2023, arXiv:2208.04933).

    state:   $x_t = A_t x_{t-1} + B' u_t$    $A_t = exp(lambda Delta)$, 0 where an episode begins
    output:  $y_t = 2 Re(C x_t) + D u_t$     $B' = (A - 1) / lambda B$ (zero-order hold)
    layer:   $u_t + a sigmoid(b)$            $a, b$ = dense(gelu($y_t$))

The states are complex and do not mix, so that all steps of a sequence are computed together: on
accelerators by an associative scan, on CPUs, which have no use for its extra work, one after
another. Where an episode begins the state is forgotten with A = 0, which needs no other
operator (Lu et al. 2023, arXiv:2303.03982, carry a flag along).

Differs from the paper: the real part of $lambda$ is learned by its logarithm, so that no state
grows without bound.
"""

from __future__ import annotations

import functools
import math

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

SHORTEST, LONGEST = 1e-3, 1e-1  # of the steps Delta at the start, which are log-uniform


class S5(nn.Module):
    """A layer of `size` features and size / 2 complex states; it remembers their real and their
    imaginary parts.
    """

    size: int

    @staticmethod
    def width(size: int) -> int:
        if size % 2:
            raise ValueError(f"PpoConfig.memory_size must be even for S5, got {size}.")
        return size

    @nn.compact
    def __call__(self, memory: jax.Array, x: jax.Array, first: jax.Array):
        decay, entry = self._discretised()
        inputs = jax.lax.complex(x @ entry.real, x @ entry.imag)
        start = jax.lax.complex(*jnp.split(memory, 2, axis=-1))
        decay = jnp.where(first[..., None], 0.0, decay[None, None])
        states = linear_recurrence(decay, inputs, start)
        real, imaginary = self.param("exit", _draw_exit, self.size)
        skip = self.param("skip", nn.initializers.normal(1.0), (self.size,))
        y = 2 * (states.real @ real - states.imag @ imaginary) + skip[None, None] * x
        gated = nn.glu(nn.Dense(2 * self.size, name="gate")(nn.gelu(y)))
        return jnp.concatenate([states.real, states.imag], axis=-1), x + gated

    def _discretised(self) -> tuple[jax.Array, jax.Array]:
        """A [size / 2] and B' [size, size / 2]."""
        frequencies = hippo(self.size)[0]
        shape = frequencies.shape
        log_decay = self.param("log_decay", nn.initializers.constant(math.log(0.5)), shape)
        frequency = self.param("frequency", lambda _: jnp.asarray(frequencies, jnp.float32))
        log_step = self.param("log_step", _draw_log_step, shape)
        eigenvalues = jax.lax.complex(-jnp.exp(log_decay), frequency)
        decay = jnp.exp(eigenvalues * jnp.exp(log_step))
        entry = jax.lax.complex(*self.param("entry", _draw_entry, self.size))
        return decay, entry * ((decay - 1) / eigenvalues)[None]


def linear_recurrence(decay: jax.Array, inputs: jax.Array, start: jax.Array) -> jax.Array:
    """$x_t = decay_t x_{t-1} + inputs_t$ for all t.

    Args:
      decay, inputs: [num_steps, ...].
      start: [...], the state before the first step.

    >>> linear_recurrence(jnp.array([1.0, 0.0, 2.0]), jnp.ones(3), jnp.float32(5)).tolist()
    [6.0, 1.0, 3.0]
    """
    return jax.lax.platform_dependent(decay, inputs, start, cpu=step_by_step, default=all_at_once)


def step_by_step(decay: jax.Array, inputs: jax.Array, start: jax.Array) -> jax.Array:
    """The recurrence as it is written."""

    def step(state: jax.Array, now: tuple[jax.Array, jax.Array]):
        state = now[0] * state + now[1]
        return state, state

    return jax.lax.scan(step, start, (decay, inputs))[1]


def all_at_once(decay: jax.Array, inputs: jax.Array, start: jax.Array) -> jax.Array:
    """The recurrence by an associative scan."""

    def join(earlier: tuple[jax.Array, jax.Array], later: tuple[jax.Array, jax.Array]):
        return later[0] * earlier[0], later[0] * earlier[1] + later[1]

    inputs = inputs.at[0].add(decay[0] * start)
    return jax.lax.associative_scan(join, (decay, inputs))[1]


@functools.cache
def hippo(size: int) -> tuple[np.ndarray, np.ndarray]:
    """The normal part of HiPPO-LegS, -I/2 + S with S skew-symmetric, in its eigenvectors.

        $S_{nk} = -sqrt((2n + 1)(2k + 1)) / 2$  for n > k

    Returns:
      the imaginary parts of its eigenvalues [size / 2], of each conjugate pair the positive one
          (all real parts are -1/2), and their eigenvectors [size, size / 2].
    """
    root = np.sqrt(2 * np.arange(size) + 1)
    lower = np.tril(np.outer(root, root) / -2, -1)
    frequencies, vectors = np.linalg.eigh(-1j * (lower - lower.T))  # in ascending order
    return frequencies[size // 2 :], vectors[:, size // 2 :]


def _draw_log_step(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    return jax.random.uniform(key, shape, minval=math.log(SHORTEST), maxval=math.log(LONGEST))


def _draw_entry(key: jax.Array, size: int) -> jax.Array:
    """B, transposed, in the eigenvectors: real and imaginary part [2, size, size / 2]."""
    drawn = jax.random.normal(key, (size, size)) / math.sqrt(size)
    vectors = hippo(size)[1]
    return jnp.stack([drawn @ np.real(vectors), -drawn @ np.imag(vectors)]).astype(jnp.float32)


def _draw_exit(key: jax.Array, size: int) -> jax.Array:
    """C, transposed, in the eigenvectors: real and imaginary part [2, size / 2, size]."""
    drawn = jax.random.normal(key, (size, size)) / math.sqrt(size)
    vectors = hippo(size)[1].T
    return jnp.stack([np.real(vectors) @ drawn, np.imag(vectors) @ drawn]).astype(jnp.float32)
