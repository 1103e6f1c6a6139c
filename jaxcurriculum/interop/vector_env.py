"""Thousands of worlds as one `gymnasium.vector.VectorEnv`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from jaxcurriculum import tree
from jaxcurriculum.interop.gymnasium_spaces import (
    Layout,
    action_space,
    checked_actions,
    checked_options,
    observation_space,
)
from jaxcurriculum.interop.task_source import TicketTeacher
from jaxcurriculum.interop.worlds import Worlds
from jaxcurriculum.roles import Environment


def to_vector_env(
    env: Environment,
    num_envs: int,
    teacher: TicketTeacher | None = None,
    autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
) -> GymnasiumVectorEnv:
    """`num_envs` worlds of `env`, stepped by one call; each episode is on a new task.

    World i after `reset(seed=s)` is `to_gymnasium(env)` after `reset(seed=s + i)`.

    Args:
      teacher: asked for the tasks of the episodes that begin, and told of each that ends; see
          `HostTeacher`. Without it tasks are uniform over `env.task_space`.
      autoreset_mode: how gymnasium has it: "SameStep", "NextStep" or "Disabled".

    Raises:
      ValueError: when there is no such mode or number, or an action space or an observation has no
          counterpart.

    >>> from jaxcurriculum import envs
    >>> worlds = to_vector_env(envs.cart_pole(), num_envs=64)
    >>> obs, info = worlds.reset(seed=0)
    >>> obs, rewards, terminated, truncated, info = worlds.step(worlds.action_space.sample())
    >>> obs.shape, float(rewards.sum())
    ((64, 9), 64.0)
    """
    modes = [mode.value for mode in AutoresetMode]
    if autoreset_mode not in (*modes, *AutoresetMode):
        raise ValueError(f"autoreset_mode must be one of {modes}, got {autoreset_mode!r}.")
    return GymnasiumVectorEnv(env, num_envs, teacher, AutoresetMode(autoreset_mode))


class GymnasiumVectorEnv(VectorEnv):
    """A `gymnasium.vector.VectorEnv` of `num_envs` worlds.

    `reset(options={"task": tasks})` names a task for each world, which it plays until the next
    `reset`; `set_tasks` names those of all episodes that follow. `info["task"]` says the task of
    the worlds whose episode begins, as `info["_task"]` marks them. Where one ends, `info["solved"]`
    says whether it was solved; with SAME_STEP that and the last task stand in `info["final_info"]`,
    and the true last observation in `info["final_obs"]`.
    """

    def __init__(
        self, env: Environment, num_envs: int, teacher: TicketTeacher | None, mode: AutoresetMode
    ):
        self._worlds = Worlds(env, num_envs, teacher)
        self._mode = mode
        self.num_envs = num_envs
        self.metadata = {"autoreset_mode": mode, "render_modes": []}
        self._layout = Layout(env.observation_shapes())
        self.single_observation_space = observation_space(self._layout)
        self.single_action_space = action_space(env)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._has_begun = np.zeros(num_envs, bool)
        self._over = np.zeros(num_envs, bool)

    def set_tasks(self, tasks: Any) -> None:
        """Play `tasks`, one a world, in all episodes that begin from now on; with None, any."""
        self._worlds.source.fixed = self._worlds.source.checked("tasks", tasks, self.num_envs)

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode in every world, or in those that `options["reset_mask"]` marks."""
        options = checked_options(options, "task", "reset_mask")
        worlds = np.flatnonzero(_checked_mask(options.get("reset_mask"), self.num_envs))
        source = self._worlds.source
        named = source.checked("options['task']", options.get("task"), self.num_envs)
        self._seed(seed)
        for world in worlds:
            source.named[world] = named[world]
        infos: dict[str, Any] = {}
        self._begin(worlds, infos)
        return self._layout.plain(self._worlds.obs), infos

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Play an action in each world."""
        self._check_may_step()
        actions = checked_actions(
            self._worlds.env.action_space, actions, (self.num_envs,), "actions"
        )
        idle = self._over
        timestep = self._worlds.step(actions)
        rewards = np.where(idle, 0.0, timestep.reward.astype(np.float64))
        terminated = np.asarray(timestep.terminated) & ~idle
        truncated = np.asarray(timestep.truncated) & ~idle
        self._over = terminated | truncated
        infos: dict[str, Any] = {}
        if idle.any():  # with NEXT_STEP: their episodes ended in the step before
            self._begin(np.flatnonzero(idle), infos)
        if self._over.any():
            self._end(np.flatnonzero(self._over), infos)
        return self._layout.plain(self._worlds.obs), rewards, terminated, truncated, infos

    def close_extras(self, **kwargs: Any) -> None:
        """The teacher is told that the episodes under way are broken off."""
        self._worlds.source.drop(np.arange(self.num_envs))
        self._has_begun[:] = False

    def _seed(self, seed: int | list[int | None] | None) -> None:
        if isinstance(seed, (int, np.integer)):
            super().reset(seed=int(seed))
            seed = [int(seed) + world for world in range(self.num_envs)]
        if not isinstance(seed, Sequence | None) or isinstance(seed, str):
            raise ValueError(f"seed must be an integer, a list of them or None, got {seed!r}.")
        self._worlds.seed([None] * self.num_envs if seed is None else seed)

    def _begin(self, worlds: np.ndarray, infos: dict[str, Any]) -> None:
        """Begin an episode in each of `worlds`, and add what there is to say to `infos`."""
        self._worlds.begin(worlds)
        self._has_begun[worlds] = True
        self._over[worlds] = False
        for world in worlds:
            self._add_info(infos, self._worlds.info(world), world)

    def _end(self, worlds: np.ndarray, infos: dict[str, Any]) -> None:
        """Say how the episodes of `worlds` ended, and with SAME_STEP begin the next."""
        if self._mode != AutoresetMode.SAME_STEP:
            for world in worlds:
                self._add_info(infos, self._worlds.end(world), world)
            return
        for world in worlds:
            last = self._layout.plain(tree.take(self._worlds.obs, world))
            final = {"final_obs": last, "final_info": self._worlds.end(world)}
            self._add_info(infos, final, world)
        self._begin(worlds, infos)

    def _check_may_step(self) -> None:
        if not self._has_begun.all():
            raise gymnasium.error.ResetNeeded("Call reset() before step().")
        if self._mode == AutoresetMode.DISABLED and self._over.any():
            raise gymnasium.error.ResetNeeded(
                f"The episodes of worlds {np.flatnonzero(self._over).tolist()} are over: mark them"
                " in reset(options={'reset_mask': ...}) before step()."
            )


def _checked_mask(mask: Any, num: int) -> np.ndarray:
    if mask is None:
        return np.ones(num, bool)
    array = np.asarray(mask)
    if array.shape != (num,) or array.dtype != bool or not array.any():
        raise ValueError(
            f"options['reset_mask'] must hold {num} bools, of which one is True, got {mask!r}."
        )
    return array
