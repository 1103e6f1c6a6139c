"""Functions of a batch on the last axis, offered as functions of one thing that `jax.vmap` maps."""

from __future__ import annotations

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.experimental.xla_metadata import set_xla_metadata

from jaxcurriculum.device.machine import compiles_sums

LANES = 8  # of a processor's vectors of float32


def trailing_batch(engine: Callable) -> Callable:
    """Turn `engine`, which works on arrays [..., N], into a function of arrays [...] without the
    batch axis.

    On a processor the last axis is the one that is vectorised: physics with axes of 2, 3 or 5 is
    several times as fast when the batch comes last. `jax.vmap` of the result calls `engine` once
    with the mapped axis at the end, and a vmap of a vmap folds both axes into that one. A caller
    whose arrays already have the batch at the end (`in_axes=-1, out_axes=-1`) pays no
    transposition. Arguments and results are pytrees of arrays; every result must depend on the
    batch.

    >>> double_sum = trailing_batch(lambda x: 2 * (x[0] + x[1]))  # x [2, N] -> [N]
    >>> print(double_sum(jnp.array([1.0, 2.0])), jax.vmap(double_sum)(jnp.ones((3, 2))))
    6.0 [4. 4. 4.]
    """

    once = jax.jit(engine)  # traced once for each shape, though every vmap asks anew

    @jax.custom_batching.custom_vmap
    def batched(*args):
        if jax.tree.leaves(args)[0].shape[-1] > 1:
            return once(*args)
        # XLA drops an axis of one, then fuses what it kept apart, and takes minutes to compile: run
        # two of the same instead.
        twice = jax.tree.map(lambda x: jnp.concatenate([x, x], axis=-1), args)
        return jax.tree.map(lambda x: x[..., :1], once(*twice))

    @batched.def_vmap
    def fold(size, mapped, *args):
        def to_end(x, is_mapped):
            x = (
                jnp.moveaxis(x, 0, -1)
                if is_mapped
                else jnp.broadcast_to(x[..., None], (*x.shape, size))
            )
            return x.reshape(*x.shape[:-2], x.shape[-2] * size)

        def to_front(x):
            return jnp.moveaxis(x.reshape(*x.shape[:-1], x.shape[-1] // size, size), -1, 0)

        results = jax.tree.map(to_front, batched(*jax.tree.map(to_end, args, tuple(mapped))))
        return results, jax.tree.map(lambda _: True, results)

    @functools.wraps(engine)
    def single(*args):
        return jax.tree.map(
            lambda x: x[..., 0], batched(*jax.tree.map(lambda x: jnp.asarray(x)[..., None], args))
        )

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
        num_blocks = max(2, -(-num // block))
        size = min(num, LANES * -(-num // (LANES * num_blocks)))

        def step(number, carry):
            results, args = carry
            start = jnp.minimum(number * size, num - size)
            cut = lambda x: jax.lax.dynamic_slice_in_dim(x, start, size, axis=x.ndim - 1)
            part = jax.tree.map(cut, args)
            put = lambda whole, x: jax.lax.dynamic_update_slice_in_dim(
                whole, x, start, axis=x.ndim - 1
            )
            return jax.tree.map(put, results, apart(of_block)(*part)), args

        first = jax.tree.map(lambda x: jax.ShapeDtypeStruct((*x.shape[:-1], size), x.dtype), args)
        whole = lambda x: jnp.zeros((*x.shape[:-1], num), x.dtype)
        blank = jax.tree.map(whole, jax.eval_shape(of_block, *first))
        results = jax.jit(lambda *carry: jax.lax.fori_loop(0, num_blocks, step, carry)[0])(
            blank, args
        )
        if not (one_function and compiles_sums()):
            return results
        # What XLA's CPU compiler marks loops of little memory with, and what keeps its inliner away
        # from a marked call.
        return jax.tree.map(
            lambda x: set_xla_metadata(x, xla_cpu_small_call="true", inlineable="false"), results
        )

    return blocked


def apart(function: Callable) -> Callable:
    """`function`, as a computation of its own on a CPU, so that what it returns is computed once.

    XLA's CPU compiler copies what several loops share into each of them, and what they share in
    turn: a chain of small solves is then computed many times over (bench/NOTES.md). It does not
    look into the branches of a conditional whose condition it does not know.
    """

    once = jax.jit(function)  # traced once for all the places below

    def as_branch(*args):
        shapes = jax.eval_shape(once, *args)
        some = next(
            x for x in jax.tree.leaves(args) if jnp.issubdtype(x.dtype, jnp.floating)
        ).reshape(-1)[0]
        always = jnp.isnan(some) | (some <= jnp.inf)
        return jax.lax.cond(
            always,
            once,
            lambda *_: jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes),
            *args,
        )

    return lambda *args: jax.lax.platform_dependent(*args, cpu=as_branch, default=once)
