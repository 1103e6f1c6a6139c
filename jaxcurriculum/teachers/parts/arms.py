"""Arms: a task space cut into finitely many parts, between which a bandit teacher chooses.

cells(space, 10)          a grid over a box
listed(tasks)             tasks of one's own
distributions(samplers)   distributions of tasks of one's own
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.fields import check_kind, is_integer
from jaxcurriculum.records import Key, Proposals, PyTree, fresh_proposals
from jaxcurriculum.spaces import Box
from jaxcurriculum.teachers.parts.sampling import in_proportion

MOST_ARMS = 100_000  # a bandit remembers the latest returns of every arm
MOST_SHOWN = 8  # axes whose cells an error lists


@dataclasses.dataclass(frozen=True, kw_only=True)
class Arms:
    """Finitely many sources of tasks; the arm is the `origin` of its proposals.

    Raises:
      ValueError: when there is no arm, or more than 100,000.
    """

    shape: tuple[int, ...]  # cells an axis (the last axis varies fastest), or one number for a list
    sample: Callable[[Key, jax.Array], PyTree]  # (key, arm [] int32) -> task

    def __post_init__(self):
        if not self.shape or not 1 <= self.num <= MOST_ARMS:
            shape = f"{len(self.shape)} axes" if len(self.shape) > MOST_SHOWN else self.shape
            raise ValueError(f"Arms.shape must give between 1 and {MOST_ARMS:,} arms, got {shape}.")

    @property
    def num(self) -> int:
        return math.prod(self.shape)


def cells(space: Box, per_axis: int | Sequence[int] = 10) -> Arms:
    """A grid over the unit cube of `space`; a task is uniform in its cell.

    Cells of a log axis have equal ratios.

    Args:
      per_axis: cells an axis, one number for all or one an axis; an axis of zero width gets one
          cell whatever it says.

    Raises:
      ValueError: when `per_axis` is no positive integer, has not one entry an axis, or gives more
          than 100,000 cells.

    >>> box = Box(names=("height", "constant"), low=(0.0, 5.0), high=(3.0, 5.0))
    >>> arms = cells(box, 3)
    >>> arms.shape, arms.sample(jax.random.key(0), jnp.int32(2)).tolist()[0] >= 2.0
    ((3, 1), True)
    """
    check_kind("cells.space", space, Box)
    wanted = tuple(per_axis) if isinstance(per_axis, Sequence) else (per_axis,) * space.dims
    if len(wanted) != space.dims:
        raise ValueError(
            f"cells.per_axis must have one entry an axis: {space.dims} axes but got {per_axis}."
        )
    if not all(is_integer(count, 1, MOST_ARMS) for count in wanted):
        raise ValueError(
            f"cells.per_axis must be an integer from 1 to {MOST_ARMS}, or one an axis, got"
            f" {per_axis}."
        )
    shape = tuple(int(count) if wide else 1 for count, wide in zip(wanted, space.has_width))

    def sample(key: Key, arm: jax.Array) -> jax.Array:
        strides = [math.prod(shape[axis + 1 :]) for axis in range(space.dims)]
        counts = np.array(shape, np.int32)
        cell = (arm // np.array(strides, np.int32)) % counts
        place = jax.random.uniform(key, (space.dims,))
        return space.from_unit((cell + place) / counts)

    return Arms(shape=shape, sample=sample)


def listed(tasks: PyTree) -> Arms:
    """One arm a task.

    Args:
      tasks: a list or tuple of tasks, or their leaves stacked along a leading axis (for a box: an
        array [num, dims]). Plain lists of numbers become float32; arrays of integers keep their
        type.

    Raises:
      ValueError: when there is no task, when tasks differ in structure or shape, or when an entry
          is no finite number.

    >>> listed([[0, 1], [2, 3]]).sample(jax.random.key(0), jnp.int32(1)).tolist()
    [2.0, 3.0]
    """
    if isinstance(tasks, list | tuple):
        tasks = [jax.tree.map(np.asarray, _as_array(task)) for task in tasks]
        if not tasks:
            raise ValueError("listed.tasks must hold at least one task, got none.")
        _check_alike("listed.tasks", tasks)
        tasks = jax.tree.map(lambda *leaves: np.stack(leaves), *tasks)
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(tasks)]
    lengths = {leaf.shape[0] if leaf.ndim else 0 for leaf in leaves}
    if len(lengths) != 1:
        raise ValueError(
            "listed.tasks must have leaves of one leading axis, got the shapes"
            f" {[leaf.shape for leaf in leaves]}."
        )
    if not all(leaf.dtype.kind in "biuf" for leaf in leaves):
        raise ValueError(
            "listed.tasks must be numbers, got entries of the types"
            f" {[str(leaf.dtype) for leaf in leaves]}."
        )
    if not all(np.all(np.isfinite(leaf)) for leaf in leaves):
        raise ValueError("listed.tasks must be finite, got a task with nan or infinity.")
    stacked = jax.tree.map(_device_array, tasks)

    def sample(key: Key, arm: jax.Array) -> PyTree:
        return jax.tree.map(lambda leaf: leaf[arm], stacked)

    return Arms(shape=(lengths.pop(),), sample=sample)


def distributions(samplers: Sequence[Callable[[Key], PyTree]]) -> Arms:
    """One arm a sampler, (key) -> task; every sampler runs for every proposal, so keep them cheap.

    Raises:
      ValueError: when there is no sampler, or when their tasks differ in structure, shape or dtype.

    >>> low = lambda key: jax.random.uniform(key, (2,))
    >>> high = lambda key: jax.random.uniform(key, (2,), minval=1.0, maxval=2.0)
    >>> arms = distributions([low, high])
    >>> bool(jnp.all(arms.sample(jax.random.key(0), jnp.int32(1)) >= 1.0))
    True
    """
    is_list = isinstance(samplers, Sequence) and len(samplers) > 0
    if not is_list or not all(callable(sampler) for sampler in samplers):
        raise ValueError(
            "distributions.samplers must be one or more functions (key) -> task, got"
            f" {samplers!r:.100}."
        )
    shapes = [jax.eval_shape(sampler, jax.random.key(0)) for sampler in samplers]
    _check_alike("distributions.samplers", shapes)

    def sample(key: Key, arm: jax.Array) -> PyTree:
        tasks = [sampler(key) for sampler in samplers]
        return jax.tree.map(lambda *leaves: jnp.stack(leaves)[arm], *tasks)

    return Arms(shape=(len(samplers),), sample=sample)


def propose_arms(key: Key, arms: Arms, probabilities: jax.Array, num: int) -> Proposals:
    """`num` proposals of full weight, their arms drawn from `probabilities` ([arms])."""
    key_arms, key_tasks = jax.random.split(key)
    return propose_from(key_tasks, arms, draw(key_arms, probabilities, num))


def propose_from(key: Key, arms: Arms, chosen: jax.Array) -> Proposals:
    """A proposal for each arm of `chosen` ([num] int32), with full weight."""
    key_tasks, key_seeds = jax.random.split(key)
    tasks = jax.vmap(arms.sample)(jax.random.split(key_tasks, chosen.shape[0]), chosen)
    return fresh_proposals(key_seeds, tasks).replace(origin=chosen)


def draw(key: Key, probabilities: jax.Array, num: int) -> jax.Array:
    """`num` arms ([num] int32) from `probabilities`, by the inverse distribution function.

    >>> draw(jax.random.key(0), jnp.array([0.0, 1.0, 0.0]), 3).tolist()
    [1, 1, 1]
    """
    places = jax.random.uniform(key, (num,))
    return in_proportion(places, probabilities, jnp.int32(probabilities.shape[0]))


def explore(probabilities: jax.Array, exploration: float | jax.Array) -> jax.Array:
    """`probabilities` mixed with uniform ones: (1 - exploration) p + exploration / arms."""
    return (1.0 - exploration) * probabilities + exploration / probabilities.shape[0]


def greedy(scores: jax.Array) -> jax.Array:
    """Probabilities ([arms]) of a random one of the best arms by `scores` ([arms]).

    >>> greedy(jnp.array([2.0, 1.0, 2.0])).tolist()
    [0.5, 0.0, 0.5]
    """
    best = (scores == jnp.max(scores)).astype(jnp.float32)
    return best / jnp.sum(best)


def _as_array(task: PyTree) -> PyTree:
    if not isinstance(task, list | tuple):
        return task
    array = np.asarray(task)
    is_whole = array.dtype.kind in "biu"
    return array.astype(np.float64) if is_whole else array  # alike, whole numbers or not


def _device_array(leaf: PyTree) -> jax.Array:
    leaf = np.asarray(leaf)
    return jnp.asarray(leaf, jnp.float32 if np.issubdtype(leaf.dtype, np.floating) else leaf.dtype)


def _check_alike(name: str, tasks: Sequence[PyTree]) -> None:
    def describe(task: PyTree) -> PyTree:
        return jax.tree.map(lambda leaf: (tuple(leaf.shape), str(leaf.dtype)), task)

    for index, task in enumerate(tasks):
        if describe(task) != describe(tasks[0]):
            raise ValueError(
                f"{name} must give tasks alike: number 0 is {describe(tasks[0])} but number {index}"
                f" is {describe(task)}."
            )
