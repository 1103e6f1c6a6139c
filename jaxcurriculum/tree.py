"""Small operations on whole pytrees."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxcurriculum.records import PyTree


def where(mask: jax.Array, a: PyTree, b: PyTree, axis: int = 0) -> PyTree:
    """Leaf by leaf `a` where `mask` ([num] or [] bool) holds, else `b`; `axis` is that of `num`.

    >>> where(jnp.array([True, False]), jnp.ones((2, 3)), jnp.zeros((2, 3))).tolist()
    [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]
    """

    def choose(x: jax.Array, y: jax.Array) -> jax.Array:
        shape = [1] * y.ndim
        if mask.ndim:
            shape[axis] = mask.shape[0]
        return jnp.where(mask.reshape(shape), x, y)

    return jax.tree.map(choose, a, b)


def move_axis(tree: PyTree, source: int, destination: int) -> PyTree:
    """`jnp.moveaxis` of every leaf; nothing where both are the same."""
    if source == destination:
        return tree
    return jax.tree.map(lambda leaf: jnp.moveaxis(leaf, source, destination), tree)


def take(tree: PyTree, index: ArrayLike) -> PyTree:
    """The rows `index` of every leaf's first axis."""
    return jax.tree.map(lambda leaf: leaf[index], tree)


def blank(shapes: PyTree, *leading: int) -> PyTree:
    """Zeros for each leaf of `shapes` (arrays or their shapes), with more axes in front."""
    return jax.tree.map(lambda leaf: jnp.zeros((*leading, *leaf.shape), leaf.dtype), shapes)


def num_bytes(shapes: PyTree) -> int:
    """What all leaves of `shapes` (arrays or their shapes) take.

    >>> num_bytes({"a": jnp.zeros((2, 3)), "b": jnp.zeros(5, bool)})
    29
    """
    return sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(shapes))


def fingerprint(tree: PyTree) -> jax.Array:
    """A number that follows from every bit of every leaf, [] uint32; equal trees have the same.

    Each word times an odd number of its own, summed, and the sum's bits mixed (murmur3's last
    step), so that one changed word always changes it.

    >>> maze = {"walls": jnp.array([True, False]), "goal": jnp.int32(3)}
    >>> moved = {"walls": jnp.array([False, True]), "goal": jnp.int32(3)}
    >>> bool(fingerprint(maze) == fingerprint(moved))
    False
    """
    words = jnp.concatenate([_words(leaf) for leaf in jax.tree.leaves(tree)])
    factors = np.random.default_rng(0).integers(0, 2**32, words.shape, np.uint32) | 1
    mixed = jnp.sum(words * factors, dtype=jnp.uint32)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        mixed = (mixed ^ (mixed >> shift)) * jnp.uint32(factor)
    return mixed ^ (mixed >> 16)


def _words(leaf: jax.Array) -> jax.Array:
    """The entries of `leaf` as uint32; -0.0 as 0.0, which it equals."""
    if jnp.issubdtype(leaf.dtype, jnp.floating):
        positive = jnp.where(leaf == 0, 0.0, leaf).astype(jnp.float32)
        return jax.lax.bitcast_convert_type(positive, jnp.uint32).reshape(-1)
    return leaf.astype(jnp.uint32).reshape(-1)
