"""A teacher's view of a task space: other tasks, or other names for the same ones, than those
that are really played.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxcurriculum.configs import Config, field
from jaxcurriculum.fields import check_kind
from jaxcurriculum.records import Episodes, Key, Proposals, PyTree, TimeStep
from jaxcurriculum.roles import Environment, Student
from jaxcurriculum.spaces import Box, Space

Move = Callable[[jax.Array], jax.Array]  # from task to task, [dims]
# of an interval: so far from its ends a mapped task stays, that rounding cannot carry it over
EDGE = 1e-4


@dataclasses.dataclass(frozen=True, kw_only=True)
class View:
    """What the teacher sees, and what becomes of a task that it proposes."""

    name: str
    space: Space
    to_original: Callable[[PyTree], PyTree]  # (task of the view) -> task that is played
    # (task of the view) -> [] bool; without, all are
    is_feasible: Callable[[PyTree], jax.Array] | None = None
    lowest: float | jax.Array = 0.0  # return of an unfeasible task


def environment_in_view(env: Environment, view: View) -> Environment:
    """`env` on the tasks of `view`; an episode on an unfeasible one ends after one step with
    reward `lowest`.
    """
    is_feasible = view.is_feasible
    named = dataclasses.replace(env, name=f"{env.name}, {view.name}", task_space=view.space)
    if is_feasible is None:
        return dataclasses.replace(
            named, generate=lambda key, task: env.generate(key, view.to_original(task))
        )

    def generate(key: Key, task: PyTree) -> PyTree:
        return env.generate(key, view.to_original(task)), is_feasible(task)

    def step(key: Key, level: PyTree, state: PyTree, action: jax.Array) -> tuple[PyTree, TimeStep]:
        level, feasible = level
        state, timestep = env.step(key, level, state, action)
        reward = jnp.where(feasible, timestep.reward, view.lowest)
        return state, timestep.replace(reward=reward, terminated=timestep.terminated | ~feasible)

    return dataclasses.replace(
        named, generate=generate, reset=lambda key, level: env.reset(key, level[0]), step=step
    )


def student_in_view(student: Student, view: View) -> Student:
    """A simulated student on the tasks of `view`; an unfeasible one is given to it with weight 0,
    and its return is `lowest`.

    Raises:
      ValueError: when the student plays an environment: its episodes come back in another order
          than its proposals.
    """
    if student.step_unit != "episodes":
        raise ValueError(
            "A student that plays an environment sees another view through it: wrap the"
            f" environment of {student.name!r}."
        )
    to_original = jax.vmap(view.to_original)

    def feasible(tasks: PyTree, num: int) -> jax.Array:
        return (
            jnp.ones((num,), bool)
            if view.is_feasible is None
            else jax.vmap(view.is_feasible)(tasks)
        )

    def seen(episodes: Episodes, tasks: PyTree, is_feasible: jax.Array) -> Episodes:
        returns = jnp.where(is_feasible, episodes.returns, view.lowest)
        return episodes.replace(tasks=tasks, returns=returns, solved=episodes.solved & is_feasible)

    def train(key: Key, state: PyTree, proposals: Proposals) -> tuple[PyTree, Episodes]:
        is_feasible = feasible(proposals.tasks, proposals.seeds.shape[0])
        weight = jnp.where(is_feasible, proposals.weight, 0.0)
        state, episodes = student.train(
            key, state, proposals.replace(tasks=to_original(proposals.tasks), weight=weight)
        )
        return state, seen(episodes, proposals.tasks, is_feasible)

    def evaluate(
        key: Key,
        state: PyTree,
        tasks: PyTree,
        seeds: jax.Array,
        num_episodes: int,
        deterministic: bool,
    ) -> Episodes:
        episodes = student.evaluate(
            key, state, to_original(tasks), seeds, num_episodes, deterministic
        )
        repeat = lambda leaf: jnp.repeat(leaf, num_episodes, axis=0)
        return seen(episodes, jax.tree.map(repeat, tasks), repeat(feasible(tasks, seeds.shape[0])))

    return dataclasses.replace(
        student,
        name=f"{student.name}, {view.name}",
        task_space=view.space,
        train=train,
        evaluate=evaluate,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class RuggedConfig(Config):
    """How the task space is shuffled. The default is the first landscape that leaves no quarter
    of the first four axes in its place.
    """

    intervals: int = field(
        4,
        low=1,
        high=1000,  # the factory makes a table of them for each axis
        help="equal pieces into which each axis is cut",
    )
    landscape: int | jax.Array = field(
        24,
        low=0,
        help="number of the shuffle, the same for all seeds of a run",
    )


def rugged_maps(
    space: Box,
    landscape: int | jax.Array = RuggedConfig.landscape,
    intervals: int = RuggedConfig.intervals,
) -> tuple[Move, Move]:
    """(to_original, to_view), inverse to each other, from task to task [dims]: what a teacher's
    task really is, and how it names one.

        to_original:  u = (j + f) / intervals of the unit cube  ->  (permutation[j] + f) /
        intervals,  each axis by itself

    f, the place within interval j, is kept 0.0001 off its ends, where rounding could carry a task
    into the next interval. `landscape` is the number of the shuffle.

    Raises:
      TypeError: when `space` is no Box.
      ValueError: when `RuggedConfig` does not allow these numbers.

    >>> box = Box(names=("height",), low=(0.0,), high=(3.0,))
    >>> to_original, to_view = rugged_maps(box)
    >>> bool(jnp.allclose(to_original(to_view(jnp.array([0.6]))), 0.6))
    True
    """
    check_kind("rugged_maps.space", space, Box)
    RuggedConfig(landscape=landscape, intervals=intervals)  # checks them
    shuffle = lambda key: jax.random.permutation(key, intervals)
    order = jax.vmap(shuffle)(
        jax.random.split(jax.random.key(landscape), space.dims)
    )  # [dims, intervals]

    def along(order: jax.Array) -> Move:
        def move(task: jax.Array) -> jax.Array:
            scaled = space.to_unit(task) * intervals
            interval = jnp.clip(jnp.floor(scaled), 0, intervals - 1).astype(jnp.int32)
            inside = jnp.clip(scaled - interval, EDGE, 1 - EDGE)
            return space.from_unit(
                (jnp.take_along_axis(order, interval[:, None], axis=1)[:, 0] + inside) / intervals
            )

        return move

    return along(order), along(jnp.argsort(order, axis=1))
