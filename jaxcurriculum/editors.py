"""Editors: environments whose episode builds a task, move by move."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Literal

import jax

from jaxcurriculum.configs import Config, field
from jaxcurriculum.records import Key, PyTree
from jaxcurriculum.roles import Environment
from jaxcurriculum.spaces import Discrete, Space

ALONE = Discrete(num=1, name="blank")  # an editor has one task of its own: to begin with nothing


@dataclasses.dataclass(frozen=True, kw_only=True)
class EditorConfig(Config):
    """What the builder sees beside what stands already."""

    noise_size: int = field(16, low=0, help="random numbers shown, so that no two levels are alike")
    noise: Literal["move", "level"] = field("move", help="drawn anew for each move or each level")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Editor:
    """An environment whose every episode takes `env.max_episode_steps` moves and builds a task.

    Its own task and its levels mean nothing, and its rewards are 0: a teacher says what the task
    was worth.
    """

    env: Environment
    task_space: Space  # of what is built
    finish: Callable[[PyTree], PyTree]  # (state after the last move) -> task
    config: Any = None  # what it was made from

    @property
    def num_moves(self) -> int:
        return self.env.max_episode_steps


def draw_noise(key: Key, config: EditorConfig) -> jax.Array:
    """The random numbers that are shown before the first move, [noise_size]."""
    return jax.random.uniform(key, (config.noise_size,))


def next_noise(key: Key, noise: jax.Array, config: EditorConfig) -> jax.Array:
    """Those that are shown after a move."""
    return draw_noise(key, config) if config.noise == "move" else noise
