"""A teacher's view of a task space: other tasks, or other names for the same ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp

from jaxcurriculum.records import Episodes, Key, Proposals, PyTree, TimeStep
from jaxcurriculum.roles import Environment, Student
from jaxcurriculum.spaces import Box, Space

Role = TypeVar("Role", Environment, Student)


@dataclasses.dataclass(frozen=True, kw_only=True)
class View:
    """What the teacher sees, and what becomes of a task that it proposes."""

    name: str
    space: Space
    to_original: Callable[[PyTree], PyTree]  # (task of the view) -> task that is played
    # (task of the view) -> [] bool; without, all are
    is_feasible: Callable[[PyTree], jax.Array] | None = None
    lowest: float | jax.Array = 0.0  # return of an unfeasible task


def in_view(role: Role, view: View) -> Role:
    """An environment or a simulated student, on the tasks of `view`."""
    if isinstance(role, Environment):
        return environment_in_view(role, view)
    return student_in_view(role, view)


def environment_in_view(env: Environment, view: View) -> Environment:
    """`env` on tasks of `view`; an unfeasible one ends after one step with `lowest`."""
    is_feasible = view.is_feasible
    named = dataclasses.replace(
        env,
        name=f"{env.name}, {view.name}",
        task_space=view.space,
        optimal_return=_optimal_return(env, view),
    )
    if is_feasible is None:

        def generate_original(key: Key, task: PyTree) -> PyTree:
            return env.generate(key, view.to_original(task))

        return dataclasses.replace(named, generate=generate_original)

    def generate(key: Key, task: PyTree) -> PyTree:
        return env.generate(key, view.to_original(task)), is_feasible(task)

    def reset(key: Key, level: PyTree) -> tuple[PyTree, TimeStep]:
        return env.reset(key, level[0])

    def step(key: Key, level: PyTree, state: PyTree, action: jax.Array) -> tuple[PyTree, TimeStep]:
        level, feasible = level
        state, timestep = env.step(key, level, state, action)
        reward = jnp.where(feasible, timestep.reward, view.lowest)
        return state, timestep.replace(reward=reward, terminated=timestep.terminated | ~feasible)

    return dataclasses.replace(named, generate=generate, reset=reset, step=step)


def _optimal_return(env: Environment, view: View) -> Callable[[PyTree], jax.Array] | None:
    of_original = env.optimal_return
    if of_original is None:
        return None

    def optimal_return(task: PyTree) -> jax.Array:
        highest = of_original(view.to_original(task))
        feasible = True if view.is_feasible is None else view.is_feasible(task)
        return jnp.where(feasible, highest, view.lowest)

    return optimal_return


def student_in_view(student: Student, view: View) -> Student:
    """A simulated student on tasks of `view`; an unfeasible one has weight 0, return `lowest`.

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
        if view.is_feasible is None:
            return jnp.ones((num,), bool)
        return jax.vmap(view.is_feasible)(tasks)

    def seen(episodes: Episodes, tasks: PyTree, is_feasible: jax.Array) -> Episodes:
        returns = jnp.where(is_feasible, episodes.returns, view.lowest)
        return episodes.replace(tasks=tasks, returns=returns, solved=episodes.solved & is_feasible)

    def train(
        key: Key, state: PyTree, proposals: Proposals, round: jax.Array
    ) -> tuple[PyTree, Episodes]:
        is_feasible = feasible(proposals.tasks, proposals.seeds.shape[0])
        given = proposals.replace(
            tasks=to_original(proposals.tasks), weight=jnp.where(is_feasible, proposals.weight, 0.0)
        )
        state, episodes = student.train(key, state, given, round)
        return state, seen(episodes, proposals.tasks, is_feasible)

    def evaluate(
        key: Key, state: PyTree, tasks: PyTree, seeds: jax.Array, num_episodes: int, *how
    ) -> Episodes:
        originals = to_original(tasks)
        episodes = student.evaluate(key, state, originals, seeds, num_episodes, *how)
        is_feasible = feasible(tasks, seeds.shape[0])
        tasks, is_feasible = jax.tree.map(
            lambda leaf: jnp.repeat(leaf, num_episodes, axis=0), (tasks, is_feasible)
        )
        return seen(episodes, tasks, is_feasible)

    return dataclasses.replace(
        student,
        name=f"{student.name}, {view.name}",
        task_space=view.space,
        train=train,
        evaluate=evaluate,
    )


def box_of(challenge: str, role: Environment | Student) -> Box:
    """The task space of `role`, for a challenge that needs named axes."""
    if not isinstance(role, Environment | Student):
        raise TypeError(f"{challenge}.role must be an Environment or a Student, got {role!r:.100}.")
    if not isinstance(role.task_space, Box):
        raise ValueError(
            f"This challenge needs tasks with named axes (a Box), got those of {role.name!r}."
        )
    return role.task_space
