"""A teacher of points in a box, each of which stands for a task."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.fields import check_kind, is_integer
from jaxcurriculum.records import Episodes, Key, Proposals, PyTree
from jaxcurriculum.roles import Context, Teacher
from jaxcurriculum.spaces import Box

Decode = Callable[[Key, jax.Array], PyTree]  # (key, point [dims]) -> task


class LatentState(struct.PyTreeNode):
    """The inner teacher, and the points of the latest proposals: number n in slot n mod size."""

    inner: PyTree
    points: jax.Array  # [size, dims]
    origins: jax.Array  # [size], int32, the inner teacher's own tags
    num_proposals: jax.Array  # [], int32, proposals so far, mod `cycle(memory)`


def in_latent_space(
    make: Callable[[Box], Teacher], latent_space: Box, decode: Decode, memory: int = 4096
) -> Teacher:
    """The teacher `make` (latent_space), of tasks that `decode` makes of its points.

    The student and all records know the tasks alone; the teacher is told of an episode that it was
    at the point that was proposed. So every teacher of a box can teach what has no axes, like
    mazes.

    Args:
      decode: (key, point [dims]) -> task; the key draws what the point leaves open. The optimal
          return of a point is that of another draw, not of the task that was played.
      memory: latest proposals whose points are remembered; an episode of an older one is not valid
          to the teacher.

    Raises:
      TypeError: when `make` or `decode` is no function, or `latent_space` is no Box.
      ValueError: when `memory` is no positive integer; on the first use, when it is smaller than a
          round's proposals.

    >>> from jaxcurriculum.teachers.random import random
    >>> box = Box(names=("z",), low=(-1.0,), high=(1.0,))
    >>> teacher = in_latent_space(random, box, lambda key, point: {"is_left": point[0] < 0})
    >>> _, proposals = teacher.propose(jax.random.key(0), teacher.init(jax.random.key(1)), 3)
    >>> proposals.tasks["is_left"].shape
    (3,)
    """
    for name, function in {"make": make, "decode": decode}.items():
        if not callable(function):
            raise TypeError(f"in_latent_space.{name} must be a function, got {function!r:.100}.")
    check_kind("in_latent_space.latent_space", latent_space, Box)
    if not is_integer(memory, 1):
        raise ValueError(f"in_latent_space.memory must be a positive integer, got {memory!r}.")
    teacher = make(latent_space)
    check_kind("in_latent_space.make(latent_space)", teacher, Teacher)

    def decoded(key: Key, points: jax.Array) -> PyTree:
        return jax.vmap(decode)(jax.random.split(key, points.shape[0]), points)

    def init(key: Key) -> LatentState:
        return LatentState(
            inner=teacher.init(key),
            points=jnp.zeros((memory, latent_space.dims)),
            origins=jnp.zeros((memory,), jnp.int32),
            num_proposals=jnp.int32(0),
        )

    def propose(key: Key, state: LatentState, num: int) -> tuple[LatentState, Proposals]:
        if num > memory:
            raise ValueError(
                f"in_latent_space.memory must be at least a round's {num} proposals, got {memory}."
            )
        key_inner, key_decode = jax.random.split(key)
        inner, proposals = teacher.propose(key_inner, state.inner, num)
        numbers = (state.num_proposals + jnp.arange(num, dtype=jnp.int32)) % cycle(memory)
        slots = numbers % memory
        state = LatentState(
            inner=inner,
            points=state.points.at[slots].set(proposals.tasks),
            origins=state.origins.at[slots].set(proposals.origin),
            num_proposals=(state.num_proposals + num) % cycle(memory),
        )
        tasks = decoded(key_decode, proposals.tasks)
        return state, proposals.replace(tasks=tasks, origin=numbers)

    def update(
        key: Key, state: LatentState, episodes: Episodes, context: Context
    ) -> tuple[LatentState, jax.Array]:
        def probe(key: Key, points: jax.Array, seeds: jax.Array, num: int, best: bool) -> Episodes:
            key_decode, key_probe = jax.random.split(key)
            found = context.probe(key_probe, decoded(key_decode, points), seeds, num, best)
            return found.replace(tasks=jnp.repeat(points, num, axis=0))

        seen = seen_by_teacher(state, episodes)
        known, key_known = context.optimal_return, jax.random.fold_in(key, 0)
        optimal_return = known and (lambda point: known(decode(key_known, point)))
        asking = Context(context.round, context.num_steps, probe, optimal_return)
        inner, probe_steps = teacher.update(key, state.inner, seen, asking)
        return state.replace(inner=inner), probe_steps

    return dataclasses.replace(
        teacher,
        name=f"{teacher.name} in latent space",
        init=init,
        propose=propose,
        update=update,
        report=lambda state: teacher.report(state.inner),
    )


def cycle(memory: int) -> int:
    """How many proposals have numbers of their own: a multiple of `memory`, at most 2^28."""
    return max(2, 2**28 // memory) * memory


def seen_by_teacher(state: LatentState, episodes: Episodes) -> Episodes:
    """`episodes` with the points and tags of the inner teacher; of forgotten ones none is valid."""
    size = state.origins.shape[0]
    age = (state.num_proposals - episodes.origin) % cycle(size)
    is_known = (episodes.origin >= 0) & (age >= 1) & (age <= size)
    slots = episodes.origin % size
    return episodes.replace(
        tasks=state.points[slots],
        origin=state.origins[slots],
        valid=episodes.valid & is_known,
    )
