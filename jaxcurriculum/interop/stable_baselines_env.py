"""Worlds as a vectorised environment of Stable-Baselines3."""

from __future__ import annotations

import dataclasses
import importlib
import time
from collections.abc import Iterable
from typing import Any

import numpy as np
from gymnasium import Space

from jaxcurriculum import tree
from jaxcurriculum.interop.gymnasium_spaces import (
    Layout,
    action_space,
    batch_of_one,
    checked_actions,
    checked_options,
    observation_space,
)
from jaxcurriculum.interop.task_source import TicketTeacher
from jaxcurriculum.interop.worlds import Worlds
from jaxcurriculum.roles import Environment

Indices = int | Iterable[int] | None


def to_stable_baselines(
    env: Environment, num_envs: int, teacher: TicketTeacher | None = None
) -> Any:
    """`num_envs` worlds of `env` as a `VecEnv` of Stable-Baselines3, stepped by one call.

    Where an episode ends, `info` has what SB3 reads ("terminal_observation", "TimeLimit.truncated",
    "is_success", and "episode" as its Monitor has it), and the "task" that was played.

    Args:
      teacher: asked for the tasks of the episodes that begin, and told of each that ends; see
          `HostTeacher`. Without it tasks are uniform over `env.task_space`.

    Raises:
      ValueError: when there is no such number, or an action space or an observation has no
          counterpart.
    """
    vec_env = importlib.import_module("stable_baselines3.common.vec_env").VecEnv
    worlds = Worlds(env, num_envs, teacher)
    layout = Layout(env.observation_shapes())
    kind = type("StableBaselinesEnv", (Methods, vec_env), {})
    return kind(worlds, layout, observation_space(layout), action_space(env))


@dataclasses.dataclass
class World:
    """One world, for what SB3 asks of worlds by name."""

    worlds: Worlds
    number: int
    render_mode: None = None

    @property
    def task(self) -> Any:
        """The task that it plays."""
        return self.worlds.info(self.number)["task"]

    def set_task(self, task: Any) -> None:
        """Play `task` in every episode that begins from now on; with None, any task again."""
        source = self.worlds.source
        (source.fixed[self.number],) = source.checked("task", batch_of_one(task), 1)


class Methods:
    """What a `VecEnv` of SB3 has to do; SB3's own base class does the rest."""

    num_envs: int
    reset_infos: list[dict[str, Any]]
    _seeds: list[int | None]
    _options: list[dict[str, Any]]

    def __init__(self, worlds: Worlds, layout: Layout, obs_space: Space, act_space: Space):
        self._worlds = worlds
        self._layout = layout
        self._world = [World(worlds, number) for number in range(worlds.num)]
        self._actions: Any = None
        self._start = time.perf_counter()
        super().__init__(worlds.num, obs_space, act_space)  # pyright: ignore[reportCallIssue]

    def reset(self) -> Any:
        """Begin an episode in every world, with the seeds and options that were set."""
        source = self._worlds.source
        for number, options in enumerate(self._options):
            task = batch_of_one(checked_options(options, "task").get("task"))
            (source.named[number],) = source.checked("options['task']", task, 1)
        self._worlds.seed(self._seeds)
        self._worlds.begin(np.arange(self.num_envs))
        self.reset_infos = [self._worlds.info(number) for number in range(self.num_envs)]
        self._seeds = [None] * self.num_envs
        self._options = [{}] * self.num_envs
        return self._layout.plain(self._worlds.obs)

    def step_async(self, actions: Any) -> None:
        """Take the actions of the next step."""
        space = self._worlds.env.action_space
        self._actions = checked_actions(space, actions, (self.num_envs,), "actions")

    def step_wait(self) -> tuple[Any, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Play them, and begin the next episode of the worlds whose episode ends."""
        timestep = self._worlds.step(self._actions)
        over = np.asarray(timestep.terminated) | np.asarray(timestep.truncated)
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        ended = np.flatnonzero(over)
        for number in ended.tolist():
            infos[number] = self._last_info(number, bool(timestep.truncated[number]))
        if len(ended):
            self._worlds.begin(ended)
        rewards = np.array(timestep.reward)
        return self._layout.plain(self._worlds.obs), rewards, over, infos

    def _last_info(self, number: int, truncated: bool) -> dict[str, Any]:
        worlds = self._worlds
        info = worlds.end(number)
        episode = {
            "r": float(worlds.returns[number]),
            "l": int(worlds.lengths[number]),
            "t": round(time.perf_counter() - self._start, 6),
        }
        return {
            **info,
            "is_success": info["solved"],
            "episode": episode,
            "terminal_observation": self._layout.plain(tree.take(worlds.obs, number)),
            "TimeLimit.truncated": truncated,
        }

    def close(self) -> None:
        """The teacher is told that the episodes under way are broken off."""
        self._worlds.source.drop(range(self.num_envs))

    def get_attr(self, attr_name: str, indices: Indices = None) -> list[Any]:
        """An attribute of each of the worlds: "task" or "render_mode"."""
        return [getattr(world, attr_name) for world in self._chosen(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Indices = None) -> None:
        """Set an attribute of each of the worlds."""
        for world in self._chosen(indices):
            setattr(world, attr_name, value)

    def env_method(
        self, method_name: str, *arguments: Any, indices: Indices = None, **named: Any
    ) -> list[Any]:
        """Call a method of each of the worlds, as "set_task"."""
        return [getattr(world, method_name)(*arguments, **named) for world in self._chosen(indices)]

    def env_is_wrapped(self, wrapper_class: type, indices: Indices = None) -> list[bool]:
        """False for each: worlds have no wrappers of their own."""
        return [False for _ in self._chosen(indices)]

    def _chosen(self, indices: Indices) -> list[World]:
        if indices is None:
            return self._world
        return [self._world[number] for number in np.atleast_1d(np.asarray(indices))]
