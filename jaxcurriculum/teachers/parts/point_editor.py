"""An editor of the tasks of a box whose only move chooses all of one: a bandit with many axes."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxcurriculum.editors import ALONE, Editor, EditorConfig, draw_noise
from jaxcurriculum.fields import check_kind, given
from jaxcurriculum.records import Key, PyTree, TimeStep
from jaxcurriculum.roles import Environment
from jaxcurriculum.spaces import Box


def point_editor(space: Box, config: EditorConfig | None = None) -> Editor:
    """An editor of the tasks of `space` with one move, whose action is the task.

    Observation: {"noise": [noise_size]}, random numbers.

    Raises:
      TypeError: when `space` is no Box.
      ValueError: when there is no noise, and so nothing to see.

    >>> editor = point_editor(Box(names=("height", "spacing"), low=(0.0, 0.0), high=(3.0, 6.0)))
    >>> editor.num_moves, editor.env.action_space.names
    (1, ('height', 'spacing'))
    """
    check_kind("point_editor.space", space, Box)
    config = given(config, EditorConfig)
    if config.noise_size == 0:
        raise ValueError(
            "EditorConfig.noise_size must be positive where nothing else is seen, got 0."
        )

    def reset(key: Key, level: PyTree) -> tuple[jax.Array, TimeStep]:
        return jnp.zeros((space.dims,)), _shown(draw_noise(key, config), False)

    def step(key: Key, level: PyTree, point: jax.Array, action: jax.Array):
        return action, _shown(draw_noise(key, config), True)

    env = Environment(
        name="point-editor",
        task_space=ALONE,
        action_space=space,
        max_episode_steps=1,
        solved_above=0.0,
        generate=lambda key, task: (),
        reset=reset,
        step=step,
    )
    return Editor(env=env, task_space=space, finish=lambda point: point, config=config)


def _shown(noise: jax.Array, is_over: bool) -> TimeStep:
    return TimeStep({"noise": noise}, jnp.float32(0), jnp.bool_(is_over), jnp.bool_(False))
