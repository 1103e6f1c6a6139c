"""One world as a `gymnasium.Env`."""

from __future__ import annotations

from typing import Any, SupportsFloat

import gymnasium
import jax
import numpy as np

from jaxcurriculum import tree
from jaxcurriculum.interop.gymnasium_spaces import (
    Layout,
    action_space,
    batch_of_one,
    checked_actions,
    checked_options,
    observation_space,
)
from jaxcurriculum.interop.pictures import Camera
from jaxcurriculum.interop.task_source import TicketTeacher
from jaxcurriculum.interop.worlds import Worlds
from jaxcurriculum.roles import Environment

ALONE = np.array([0])


def to_gymnasium(
    env: Environment, teacher: TicketTeacher | None = None, render_mode: str | None = None
) -> GymnasiumEnv:
    """`env` as a `gymnasium.Env`, each episode on a new task.

    Args:
      teacher: asked for the task of each episode, and told how it went; see `HostTeacher`. Without
          it tasks are uniform over `env.task_space`.
      render_mode: "rgb_array" for pictures by `env.viewer`.

    Raises:
      ValueError: when an action space, an observation or a render mode has no counterpart.

    >>> from jaxcurriculum import envs
    >>> world = to_gymnasium(envs.cart_pole({"length": (0.1, 3.0)}))
    >>> obs, info = world.reset(seed=0, options={"task": [1.5]})
    >>> obs.shape, info["task"].tolist()
    ((5,), [1.5])
    """
    return GymnasiumEnv(env, teacher, render_mode)


class GymnasiumEnv(gymnasium.Env):
    """A `gymnasium.Env` of one world.

    `reset(options={"task": ...})` names the task of one episode, `set_task` of all that follow.
    `info["task"]` says it when an episode begins and when it ends, and then `info["solved"]`
    whether it was solved.
    """

    def __init__(self, env: Environment, teacher: TicketTeacher | None, render_mode: str | None):
        self._worlds = Worlds(env, 1, teacher)
        self._camera = Camera(env, render_mode)
        self._layout = Layout(env.observation_shapes())
        self.observation_space = observation_space(self._layout)
        self.action_space = action_space(env)
        self.render_mode = render_mode
        self.metadata = self._camera.metadata
        self._is_running = False

    def set_task(self, task: Any) -> None:
        """Play `task` in every episode that begins from now on; with None, any task again."""
        self._worlds.source.fixed = self._worlds.source.checked("task", batch_of_one(task), 1)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode, on the task `options["task"]` where there is one."""
        source, task = self._worlds.source, checked_options(options, "task").get("task")
        source.named = source.checked("options['task']", batch_of_one(task), 1)
        super().reset(seed=seed)
        self._worlds.generators = [self.np_random]
        self._worlds.begin(ALONE)
        self._is_running = True
        self._camera.see(self._worlds)
        return self._observation(), self._worlds.info(0)

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Play `action`."""
        if not self._is_running:
            raise gymnasium.error.ResetNeeded(
                "No episode is under way: call reset() before step()."
            )
        action = checked_actions(self._worlds.env.action_space, action, (), "action")
        timestep = self._worlds.step(jax.tree.map(lambda leaf: leaf[None], action))
        terminated, truncated = bool(timestep.terminated[0]), bool(timestep.truncated[0])
        self._is_running = not (terminated or truncated)
        self._camera.see(self._worlds)
        info = {} if self._is_running else self._worlds.end(0)
        return self._observation(), float(timestep.reward[0]), terminated, truncated, info

    def render(self) -> Any:
        """A picture of this moment, [height, width, 3] uint8; None without a render mode."""
        return self._camera.picture(self._worlds)

    def close(self) -> None:
        """The teacher is told that the episode under way is broken off."""
        self._worlds.source.drop(ALONE)
        self._is_running = False

    def _observation(self) -> Any:
        return self._layout.plain(tree.take(self._worlds.obs, 0))
