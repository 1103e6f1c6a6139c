"""Functions of a batch on the last axis, offered as functions of one thing that `jax.vmap` maps."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxcurriculum.device import xla
from jaxcurriculum.device.machine import compiles_sums
from jaxcurriculum.records import PyTree

LANES = 8  # of a processor's vectors of float32


def trailing_batch(engine: Callable) -> Callable:
    """Turn `engine`, which works on arrays [..., N], into a function of arrays [...] without the
    batch axis.

    On a processor the last axis is the one that is vectorised: physics with axes of 2, 3 or 5 is
    several times as fast when the batch comes last. `jax.vmap` of the result calls `engine` once
    with the mapped axis at the end, and a vmap of a vmap joins both axes to that one. A caller
    whose arrays already have the batch at the end (`in_axes=-1, out_axes=-1`) pays no
    transposition. Arguments and results are pytrees of arrays; every result must depend on the
    batch.

    >>> double_sum = trailing_batch(lambda x: 2 * (x[0] + x[1]))  # x [2, N] -> [N]
    >>> print(double_sum(jnp.array([1.0, 2.0])), jax.vmap(double_sum)(jnp.ones((3, 2))))
    6.0 [4. 4. 4.]
    """

    # Traced once for each shape, though every vmap asks anew.
    once = jax.jit(engine)
    batched = jax.custom_batching.custom_vmap(xla.at_least_two(once))

    @batched.def_vmap
    def join_axes(size, mapped, *args):
        def to_end(x, is_mapped):
            if is_mapped:
                x = jnp.moveaxis(x, 0, -1)
            else:
                x = jnp.broadcast_to(x[..., None], (*x.shape, size))
            *small_axes, num, _ = x.shape
            return x.reshape(*small_axes, num * size)

        def to_front(x):
            *small_axes, num = x.shape
            split = x.reshape(*small_axes, num // size, size)
            return jnp.moveaxis(split, -1, 0)

        joined = jax.tree.map(to_end, args, tuple(mapped))
        results = jax.tree.map(to_front, batched(*joined))
        return results, jax.tree.map(lambda _: True, results)

    @functools.wraps(engine)
    def single(*args):
        batch_of_one = jax.tree.map(lambda x: jnp.asarray(x)[..., None], args)
        results = batched(*batch_of_one)
        return jax.tree.map(lambda x: x[..., 0], results)

    return single


def in_blocks(function: Callable, block: int, one_function: bool = True) -> Callable:
    """Apply `function` of arrays [..., N] to blocks of the batch in turn, so that what it works on
    stays in a processor's cache.

    Blocks are alike, at most `block` (a multiple of `LANES`), and at least two; the last overlaps
    the one before where they do not divide the batch. A batch of fewer than `block` stays whole; so
    does every batch on other devices than a CPU: a GPU runs a block no faster than the whole. With
    `one_function` the loop over the blocks becomes one compiled function under `machine.use_cores`,
    not hundreds that queue up a block.
    """

    of_block = jax.jit(function)  # traced once, for its shapes and for its place in the loop

    def blocked(*args):
        num = jax.tree.leaves(args)[0].shape[-1]
        if num < block or jax.default_backend() != "cpu":
            return function(*args)
        num_blocks = max(2, math.ceil(num / block))
        lanes_each = math.ceil(num / (LANES * num_blocks))
        size = min(num, LANES * lanes_each)

        def step(number, carry):
            results, args = carry
            start = jnp.minimum(number * size, num - size)
            inputs = _cut(args, start, size)
            part = xla.fusion_barrier(of_block)(*inputs)
            return _put(results, part, start), args

        def loop(*carry):
            return jax.lax.fori_loop(0, num_blocks, step, carry)[0]

        blank = _blank_results(of_block, args, num, size)
        results = jax.jit(loop)(blank, args)
        return xla.one_function(results) if one_function and compiles_sums() else results

    return blocked


def _cut(whole: PyTree, start: jax.Array, size: int) -> PyTree:
    """The entries from `start` on of the last axis."""

    def cut(x):
        return jax.lax.dynamic_slice_in_dim(x, start, size, axis=x.ndim - 1)

    return jax.tree.map(cut, whole)


def _put(whole: PyTree, part: PyTree, start: jax.Array) -> PyTree:
    """`whole` with `part` in it, from `start` on of the last axis."""

    def put(old, new):
        return jax.lax.dynamic_update_slice_in_dim(old, new, start, axis=old.ndim - 1)

    return jax.tree.map(put, whole, part)


def _blank_results(of_block: Callable, args: PyTree, num: int, size: int) -> PyTree:
    """Zeros where the results of all blocks go."""

    def shape_of_part(x):
        small_axes = x.shape[:-1]
        return jax.ShapeDtypeStruct((*small_axes, size), x.dtype)

    def blank(x):
        small_axes = x.shape[:-1]
        return jnp.zeros((*small_axes, num), x.dtype)

    parts = jax.tree.map(shape_of_part, args)
    shapes = jax.eval_shape(of_block, *parts)
    return jax.tree.map(blank, shapes)
