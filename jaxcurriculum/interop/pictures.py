"""Pictures of the episode that a world plays."""

from __future__ import annotations

import functools
from typing import Any

import jax
import numpy as np

from jaxcurriculum import tree
from jaxcurriculum.interop.worlds import Running, Worlds
from jaxcurriculum.records import PyTree
from jaxcurriculum.roles import Environment
from jaxcurriculum.viewer import Film, to_host


class Camera:
    """Remembers what `env.viewer` saw of the first world's episode; nothing without a mode.

    Raises:
      ValueError: when the mode is none of the environment's.
    """

    def __init__(self, env: Environment, render_mode: str | None):
        self._viewer = env.viewer
        self.metadata: dict[str, Any] = {"render_modes": []}
        if self._viewer is not None:
            self._steps_per_second = self._viewer.steps_per_frame * self._viewer.frames_per_second
            self.metadata = {"render_modes": ["rgb_array"], "render_fps": self._steps_per_second}
        known = (None, *self.metadata["render_modes"])
        if render_mode not in known:
            raise ValueError(f"render_mode of {env.name} must be of {known}, got {render_mode!r}.")
        self._is_on = render_mode is not None
        self._looks: list[PyTree] = []
        self._returns: list[float] = []

    def see(self, worlds: Worlds) -> None:
        """Remember this moment; before the first step only for as long as there was none."""
        if not self._is_on:
            return
        if worlds.lengths[0] <= 1:
            self._looks, self._returns = [], []
        self._looks.append(to_host(look(worlds.env, worlds.running, worlds.obs)))
        self._returns.append(float(worlds.returns[0]))

    def picture(self, worlds: Worlds) -> np.ndarray | None:
        """The latest moment, [height, width, 3] uint8."""
        if not self._looks or self._viewer is None:
            return None
        from jaxcurriculum.report.film import label

        space, task = worlds.env.task_space, tree.take(worlds.tasks, 0)
        film = Film(
            level=to_host(tree.take(worlds.running.levels, 0)),
            looks=jax.tree.map(lambda *moments: np.stack(moments), *self._looks),
            returns=np.array(self._returns),
            seconds=np.arange(1, len(self._looks) + 1) / self._steps_per_second,
            task=label(space, task),
            solved=bool(worlds.returns[0] > worlds.env.solved_above),
        )
        return np.asarray(self._viewer.picture(film, len(self._looks) - 1).convert("RGB"))


@functools.partial(jax.jit, static_argnums=0)
def look(env: Environment, running: Running, obs: PyTree) -> PyTree:
    """What the viewer of `env` sees of the first world."""
    assert env.viewer is not None
    all_worlds = jax.vmap(env.viewer.look, in_axes=(0, env.batch_axis, 0))
    return tree.take(all_worlds(running.levels, running.env_state, obs), 0)
