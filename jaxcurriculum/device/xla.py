"""What is written in a certain way because of XLA's compilers, each story told once.

None of these functions changes what is computed, only how it is compiled. The speeds were measured
with `python -m bench`, one core and 1,024 walkers unless it says otherwise; `docs/decisions/` has
them all.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.xla_metadata import set_xla_metadata

from jaxcurriculum.records import PyTree


def fusion_barrier(function: Callable) -> Callable:
    """`function`, as a computation of its own on a CPU, so that what it returns is computed once.

    XLA's CPU compiler copies what several loops share into each of them, and what they share in
    turn: a chain of small solves is then computed many times over. It does not look into the
    branches of a conditional whose condition it does not know.

    Measured: without `machine.use_cores` 170,000 steps/s with the barriers of a walker's step and
    30,000 without them; with it they bring 2 to 3 %.

    >>> fusion_barrier(lambda x: {"double": 2 * x})(jnp.array([1.0, jnp.inf]))["double"].tolist()
    [2.0, inf]
    """

    once = jax.jit(function)  # traced once for all the places below

    def as_branch(*args):
        shapes = jax.eval_shape(once, *args)

        def never(*_):
            return jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)

        return jax.lax.cond(_always(args), once, never, *args)

    def separate(*args):
        return jax.lax.platform_dependent(*args, cpu=as_branch, default=once)

    return separate


def _always(args: PyTree) -> jax.Array:
    """True, [] bool, which the compiler does not know."""
    leaves = jax.tree.leaves(args)
    numbers = next(leaf for leaf in leaves if jnp.issubdtype(leaf.dtype, jnp.floating))
    number = numbers.reshape(-1)[0]
    return jnp.isnan(number) | (number <= jnp.inf)


def one_function(results: PyTree) -> PyTree:
    """Mark `results`, of one jitted call, so that XLA's CPU compiler makes that call one function.

    Otherwise its kernels queue up one by one, some 50 ns each. The mark is the one that the
    compiler itself gives to loops of little memory; the second keeps its inliner away. It works
    where sums are compiled (`machine.compiles_sums`). The call must read all its arguments: one
    that it does not read may end the process (a check fails in ir_emitter.cc of jaxlib 0.10).
    """
    marks = dict(xla_cpu_small_call="true", inlineable="false")
    return jax.tree.map(lambda x: set_xla_metadata(x, **marks), results)


def at_least_two(function: Callable) -> Callable:
    """`function` of pytrees of arrays [..., N], which for N = 1 is given the same entry twice.

    XLA drops an axis of one, then fuses what barriers keep apart, and takes minutes to compile.

    >>> at_least_two(lambda x: x + x.shape[-1])(jnp.zeros((1,))).tolist()
    [2.0]
    """

    def doubled(*args):
        if jax.tree.leaves(args)[0].shape[-1] > 1:
            return function(*args)
        twice = jax.tree.map(lambda x: jnp.concatenate([x, x], axis=-1), args)
        return jax.tree.map(lambda x: x[..., :1], function(*twice))

    return doubled


def short_reduce(
    operation: Callable[[jax.Array, jax.Array], jax.Array], x: jax.Array, axis: int = 0
) -> jax.Array:
    """`operation` over all entries of a short axis, one after another.

    XLA's CPU compiler gives reductions to a library, call by call, which costs more than a walker's
    few numbers take.

    >>> short_reduce(jnp.maximum, jnp.array([[1.0, 5.0], [3.0, 2.0]])).tolist()
    [3.0, 5.0]
    """
    before = (slice(None),) * axis
    entries = [x[(*before, i)] for i in range(x.shape[axis])]
    return functools.reduce(operation, entries)


def short_sum(x: jax.Array, axis: int = 0) -> jax.Array:
    """`x.sum(axis)` of a short axis; see `short_reduce`."""
    return short_reduce(jnp.add, x, axis)


def masked_sum(mask: jax.Array, x: jax.Array, axis: int) -> jax.Array:
    """Sum over `axis` of the values that `mask` ([...] bool, broadcast to x) marks.

    The way to pick one value of a few: XLA's CPU compiler does not vectorise a chain of selects.

    >>> masked_sum(jnp.array([False, True]), jnp.array([3.0, 5.0]), 0).item()
    5.0
    """
    return jnp.where(mask, x, 0.0).sum(axis)


def halving_min(x: jax.Array) -> jax.Array:
    """Minimum over the last axis, halved four times where its length allows.

    XLA's CPU compiler vectorises minima of two halves, but not a reduction of a whole row.

    >>> halving_min(jnp.array([[3.0, 1.0, 2.0, 5.0]])).tolist()
    [1.0]
    """
    for _ in range(4):
        half = x.shape[-1] // 2
        if 2 * half != x.shape[-1]:
            break
        x = jnp.minimum(x[..., :half], x[..., half:])
    return jnp.min(x, axis=-1)


def running_sum(values: jax.Array) -> jax.Array:
    """Cumulative sum over the last axis, as a product with a triangle.

    Of a few dozen entries that is many times faster than `jnp.cumsum`.

    >>> running_sum(jnp.array([1.0, 2.0, 4.0])).tolist()
    [1.0, 3.0, 7.0]
    """
    square = (values.shape[-1],) * 2
    return exact_product(values, np.triu(np.ones(square, np.float32)))


def exact_product(left: jax.Array, right: jax.Array | np.ndarray) -> jax.Array:
    """Matrix product in full precision.

    XLA may cut factors to fewer bits on accelerators; counts and sums must stay exact.
    """
    return jnp.matmul(left, right, precision=jax.lax.Precision.HIGHEST)


def sin_cos(angle: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Sine and cosine of angles up to a thousand turns, to 10^-6.

    Taylor's series about the nearest quarter turn. XLA's CPU compiler asks the C library for sines,
    number by number.

    >>> [round(float(x), 6) for x in sin_cos(jnp.array(0.5))]
    [0.479426, 0.877583]
    """
    quarters = jnp.round(angle * (2 / np.pi))
    # The first factor has few bits, so that nothing is lost.
    x = angle - quarters * 1.5703125 - quarters * (np.pi / 2 - 1.5703125)
    square = x * x
    sin = x * (1 - square / 6 * (1 - square / 20 * (1 - square / 42 * (1 - square / 72))))
    cos = 1 - square / 2 * (1 - square / 12 * (1 - square / 30 * (1 - square / 56)))
    quadrant = quarters.astype(jnp.int32) & 3
    is_odd = (quadrant & 1) == 1
    sin, cos = jnp.where(is_odd, cos, sin), jnp.where(is_odd, sin, cos)
    sin = jnp.where(quadrant >= 2, -sin, sin)
    cos = jnp.where((quadrant == 1) | (quadrant == 2), -cos, cos)
    return sin, cos


def write_row(held: PyTree, index: jax.Array, row: PyTree) -> PyTree:
    """`held` (leaves [size, ...]) with `row` at `index` ([] int32); nothing where that is `size`.

    By a mask, not by a scatter: where XLA_FLAGS ask for fusion with several outputs, and the pass
    that `use_cores` switches off is on, two scatters to one place end the process (openxla/xla
    47367).

    >>> write_row(jnp.zeros(3), jnp.int32(1), jnp.float32(5)).tolist()
    [0.0, 5.0, 0.0]
    """

    def write(held: jax.Array, new: jax.Array) -> jax.Array:
        rows = jnp.arange(held.shape[0]).reshape(-1, *[1] * (held.ndim - 1))
        return jnp.where(rows == index, new[None], held)

    return jax.tree.map(write, held, row)
