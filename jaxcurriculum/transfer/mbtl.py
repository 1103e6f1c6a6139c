"""Model-based transfer learning (MBTL): on which contexts to train, so that all are covered.

A policy is trained on one context and used on all of them. Before the next one is trained,

    $J(i) ~ N(m_i, s_i^2)$    a Gaussian process over the best return seen on each trained context
    $gap(i, j) = slope |x_i - x_j|$    what is lost on the way from context $i$ to $j$
    $b_j = max_s T[s, j]$    the best return on $j$ of the policies so far, 0 without any
    $i = argmax_i mean_j max(0, m_i + sqrt(log(k)) s_i - gap(i, j) - b_j)$    for the $k$-th policy

The first context is the middle one. Returns are scaled to [0, 1], contexts lie in the unit cube.

Source: J.-H. Cho, V. Jayawardana, S. Li, C. Wu, "Model-based transfer learning for contextual
reinforcement learning", NeurIPS 2024, and the code published with it.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.configs import Config, Swept, field
from jaxcurriculum.fields import check_kind, is_integer
from jaxcurriculum.transfer.checks import check_num, checked_matrix, checked_points
from jaxcurriculum.transfer.gaussian_process import (
    Kernel,
    Observed,
    log_marginal_likelihood,
    posterior,
)

# of the given length and deviation, between which a fit chooses
LENGTHS = np.array(sorted(np.geomspace(1e-2, 1e2, 25), key=lambda factor: abs(np.log(factor))))
DEVIATIONS = np.geomspace(1 / 30, 30, 19)
AS_LIKELY = 1e-3  # nats: kernels that differ by less are equally likely


@dataclasses.dataclass(frozen=True, kw_only=True)
class MbtlRule(Config):
    """A process of constant mean with nothing fitted; `paper()` is the published one."""

    slope: Swept | None = field(
        None,
        low=0,
        help="return in [0, 1] lost over the whole range of contexts; None: by least squares",
    )
    length: Swept = field(0.15, low=1e-6, help="of the process, in units of the contexts' range")
    deviation: Swept = field(0.2, low=1e-6, help="standard deviation of the process")
    noise: Swept = field(0.05, low=1e-3, help="standard deviation of a return about it")
    zero_mean: bool = field(False, help="the mean is 0, not the average of the returns seen")
    fitted: bool = field(False, help="length and deviation maximise the marginal likelihood")

    @classmethod
    def paper(cls, num_contexts: int = 100) -> MbtlRule:
        """The published rule: zero mean, fitted kernel, slope 0.005 from one context to the next.

        The length is one context and the deviation 1, where the fit begins.

        Raises:
          ValueError: when there are not two contexts at least.
        """
        if not is_integer(num_contexts, 2):
            raise ValueError(f"num_contexts must be an integer from 2 on, got {num_contexts!r}.")
        steps = num_contexts - 1
        kernel = {"length": 1 / steps, "deviation": 1.0, "noise": 0.1, "fitted": True}
        return cls(slope=0.005 * steps, zero_mean=True, **kernel)


class Progress(struct.PyTreeNode):
    """The contexts that policies were trained on so far, in order, and what they cover."""

    trained: jax.Array  # [most], int32, index of the context
    best: jax.Array  # [most], return in [0, 1] there, the best of the policies until then
    num: jax.Array  # [], int32, how many there are
    covered: jax.Array  # [num_contexts], best return in [0, 1] on each; 0 without a policy
    lost: jax.Array  # [], sum over trained rows of distance * (return at home - return there)
    squares: jax.Array  # [], sum of their squared distances


def begin(num_contexts: int, most: int) -> Progress:
    """Nothing trained yet, with room for `most` policies."""
    none = jnp.zeros((), jnp.float32)
    return Progress(
        trained=jnp.zeros((most,), jnp.int32),
        best=jnp.zeros((most,), jnp.float32),
        num=jnp.int32(0),
        covered=jnp.zeros((num_contexts,), jnp.float32),
        lost=none,
        squares=none,
    )


def add(progress: Progress, points: jax.Array, context: jax.Array, returns: jax.Array) -> Progress:
    """`progress` with a policy trained on `context` ([] int32).

    Args:
      points: [num_contexts, dims], the contexts in the unit cube.
      returns: [num_contexts], in [0, 1], of the policy on each.
    """
    covered = jnp.maximum(progress.covered, returns)
    distance = _distances(points, points[context][None])[:, 0]
    loss = returns[context] - returns
    return Progress(
        trained=progress.trained.at[progress.num].set(context),
        best=progress.best.at[progress.num].set(covered[context]),
        num=progress.num + 1,
        covered=covered,
        lost=progress.lost + jnp.sum(distance * loss),
        squares=progress.squares + jnp.sum(distance**2),
    )


def next_context(progress: Progress, points: jax.Array, rule: MbtlRule) -> jax.Array:
    """The context to train the next policy on, [] int32; none is taken twice."""
    first = jnp.argmin(jnp.sum((points - 0.5) ** 2, axis=1))
    mean, sd = _performance(progress, points, rule)
    number = (progress.num + 1).astype(jnp.float32)
    optimistic = mean + jnp.sqrt(jnp.log(number)) * sd
    there = optimistic[:, None] - _slope(progress, rule) * _distances(points, points)
    gain = jnp.mean(jnp.maximum(there - progress.covered[None], 0.0), axis=1)
    is_trained = jnp.arange(progress.trained.shape[0]) < progress.num
    slots = jnp.where(is_trained, progress.trained, points.shape[0])
    best = jnp.argmax(gain.at[slots].set(-jnp.inf, mode="drop"))
    return jnp.where(progress.num == 0, first, best).astype(jnp.int32)


def mbtl(
    matrix: jax.Array, num: int, rule: MbtlRule = MbtlRule(), points: jax.Array | None = None
) -> jax.Array:
    """The contexts of `num` policies in order, [num] int32, replayed on a transfer matrix.

    Differs from the published code with `paper()`: the kernel is the best of a grid of 25 lengths
    and 19 deviations within the published bounds, instead of that of ten runs of L-BFGS. Where the
    likelihood is flat, as with one observation, the length stays where the fit begins.

    Args:
      matrix: [num_contexts, num_contexts], returns in [0, 1]; row: trained on, column: used on.
      points: [num_contexts, dims], the contexts in the unit cube; evenly on a line by default.

    Raises:
      TypeError: when `rule` is something else.
      ValueError: when the matrix is not square, `num` is not from 1 to the number of contexts,
        there is not a point for each, or a number of the rule is an array.

    >>> matrix = jnp.array([[1.0, 0.5, 0.0], [1.0, 1.0, 0.0], [0.0, 0.5, 1.0]])
    >>> mbtl(matrix, 2).tolist()
    [1, 2]
    """
    matrix = checked_matrix(matrix)
    check_kind("rule", rule, MbtlRule)
    num_contexts = len(matrix)
    check_num(num, num_contexts)
    _check_rule(rule)
    points = line(num_contexts) if points is None else checked_points(points, num_contexts)

    def train_next(progress: Progress, _: None) -> tuple[Progress, jax.Array]:
        context = next_context(progress, points, rule)
        return add(progress, points, context, matrix[context]), context

    return jax.lax.scan(train_next, begin(num_contexts, num), length=num)[1]


def line(num_contexts: int) -> jax.Array:
    """`num_contexts` points evenly from 0 to 1, [num_contexts, 1].

    Raises:
      ValueError: when it is no positive integer.

    >>> line(3)[:, 0].tolist()
    [0.0, 0.5, 1.0]
    """
    check_num(1, num_contexts)
    return jnp.linspace(0.0, 1.0, num_contexts)[:, None]


def _check_rule(rule: MbtlRule) -> None:
    for name in ("slope", "length", "deviation", "noise"):
        if shape := np.shape(getattr(rule, name)):
            raise ValueError(
                f"MbtlRule.{name} must be one number here, got the shape {shape}: map over rules"
                " with jax.vmap."
            )


def _performance(
    progress: Progress, points: jax.Array, rule: MbtlRule
) -> tuple[jax.Array, jax.Array]:
    """Mean and standard deviation of the return of training on each context, [num_contexts]."""
    known = jnp.arange(progress.trained.shape[0]) < progress.num
    average = jnp.sum(jnp.where(known, progress.best, 0.0)) / jnp.maximum(progress.num, 1)
    mean = 0.0 if rule.zero_mean else average
    observed = Observed(points[progress.trained], progress.best - mean, known)
    kernel = Kernel(*(jnp.float32(x) for x in (rule.length, rule.deviation, rule.noise)))
    if rule.fitted:
        kernel = _fit(kernel, observed)
    above, sd = posterior(kernel, observed, points)
    return mean + above, sd


def _fit(start: Kernel, observed: Observed) -> Kernel:
    """The likeliest kernel of a grid about `start`; of several, the one of the nearest length."""
    grid = jnp.meshgrid(jnp.asarray(LENGTHS), jnp.asarray(DEVIATIONS), indexing="ij")

    def scaled(length: jax.Array, deviation: jax.Array) -> Kernel:
        return start.replace(length=start.length * length, deviation=start.deviation * deviation)

    kernels = jax.vmap(scaled)(*(factors.ravel() for factors in grid))
    likelihoods = jax.vmap(log_marginal_likelihood, in_axes=(0, None))(kernels, observed)
    most = jnp.nanmax(likelihoods)  # rounding may leave a covariance without a factor: nan
    best = jnp.argmax(likelihoods >= most - AS_LIKELY)
    return jax.tree.map(lambda leaf: leaf[best], kernels)


def _slope(progress: Progress, rule: MbtlRule) -> jax.Array | float:
    if rule.slope is not None:
        return rule.slope
    return jnp.maximum(progress.lost / jnp.maximum(progress.squares, 1e-6), 0.0)


def _distances(a: jax.Array, b: jax.Array) -> jax.Array:
    """Sum over the axes of how far each of `a` ([num, dims]) is from each of `b`."""
    return jnp.sum(jnp.abs(a[:, None] - b[None]), axis=-1)
