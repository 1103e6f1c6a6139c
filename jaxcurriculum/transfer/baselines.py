"""What MBTL is compared with: other orders in which to train on contexts, and bounds.

A transfer matrix T [num_contexts, num_contexts] has the return, in [0, 1], on context j of the
policy trained on context i. Contexts lie on a line. Of what is no such matrix, and of more policies
than contexts, every function makes a ValueError.

Source: J.-H. Cho, V. Jayawardana, S. Li, C. Wu, "Model-based transfer learning for contextual
reinforcement learning", NeurIPS 2024, and the code published with it.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.records import Key
from jaxcurriculum.transfer.checks import check_key, check_num, checked_matrix, checked_order


def coverage(matrix: jax.Array, order: jax.Array | np.ndarray) -> jax.Array:
    """Mean return over the contexts, each played by the best policy for it, [num].

        score_k = mean_j max_(s <= k) T[order_s, j]

    >>> coverage(jnp.array([[1.0, 0.0], [0.5, 0.5]]), jnp.array([1, 0])).tolist()
    [0.5, 0.75]
    """
    matrix = checked_matrix(matrix)
    trained = matrix[checked_order(order, len(matrix))]
    return jnp.mean(jax.lax.cummax(trained, axis=0), axis=1)


def random(key: Key, num_contexts: int, num: int) -> jax.Array:
    """`num` contexts in random order, [num] int32."""
    check_key(key)
    check_num(num, num_contexts)
    return jax.random.permutation(key, num_contexts)[:num].astype(jnp.int32)


def equidistant(num_contexts: int, num: int) -> np.ndarray:
    """The centres of `num` equal parts of the line, from the top down, [num] int32.

    One must know `num` beforehand: the contexts of fewer policies are others.

    >>> equidistant(100, 2).tolist()
    [75, 25]
    """
    check_num(num, num_contexts)
    centres = (np.arange(num)[::-1] + 0.5) * num_contexts / num
    return centres.astype(np.int32)


def pseudo_greedy(num_contexts: int, num: int) -> np.ndarray:
    """The middle, then always into the widest gap, [num] int32.

    A gap between two contexts is split in the middle, one at an end of the line at a third from
    that end; of gaps equally wide the lowest comes first. None is taken twice.

    >>> pseudo_greedy(100, 3).tolist()
    [50, 17, 83]
    """
    check_num(num, num_contexts)
    order = [num_contexts // 2]
    while len(order) < num:
        edges = sorted({0, num_contexts - 1, *order})
        gaps = list(zip(edges[:-1], edges[1:]))
        free = [(low, high) for low, high in gaps if set(range(low, high + 1)) - set(order)]
        low, high = max(free, key=lambda gap: gap[1] - gap[0])
        share = 0.5
        if low not in order:
            share = 1 / 3
        elif high not in order:
            share = 2 / 3
        order.append(round(low + share * (high - low)))
    return np.array(order, np.int32)


def sequential_oracle(matrix: jax.Array, num: int) -> jax.Array:
    """Always the context that raises the coverage most, as if all were trained, [num] int32."""
    matrix = checked_matrix(matrix)
    check_num(num, len(matrix))

    def train_next(best: jax.Array, _: None) -> tuple[jax.Array, jax.Array]:
        scores = jnp.mean(jnp.maximum(matrix, best[None]), axis=1)
        context = jnp.argmax(scores).astype(jnp.int32)
        return jnp.maximum(best, matrix[context]), context

    nothing = jnp.full(matrix.shape[1:], -jnp.inf)
    return jax.lax.scan(train_next, nothing, length=num)[1]


def independent(matrix: jax.Array) -> jax.Array:
    """Mean return of a policy for every context, each played on its own, []."""
    return jnp.mean(jnp.diagonal(checked_matrix(matrix)))


def oracle_transfer(matrix: jax.Array) -> jax.Array:
    """Mean return where the best of all policies plays each context, []."""
    return jnp.mean(jnp.max(checked_matrix(matrix), axis=0))
