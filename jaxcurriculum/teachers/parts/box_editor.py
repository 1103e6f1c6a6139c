"""An editor of the tasks of a box: each move chooses the value of one axis, in their order."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.configs import field
from jaxcurriculum.editors import ALONE, Editor, EditorConfig, draw_noise, next_noise
from jaxcurriculum.fields import check_kind, given
from jaxcurriculum.records import Key, PyTree, TimeStep
from jaxcurriculum.roles import Environment
from jaxcurriculum.spaces import Box, Discrete


@dataclasses.dataclass(frozen=True, kw_only=True)
class BoxEditorConfig(EditorConfig):
    """What a move is."""

    num_bins: int | None = field(
        10,
        low=2,
        help="equal parts of an axis, of which a move chooses one; None: it chooses any number",
    )


class BoxEditorState(struct.PyTreeNode):
    """The values chosen so far, in the unit cube."""

    unit: jax.Array  # [dims], 0 where nothing was chosen yet
    move: jax.Array  # [], int32, moves made
    noise: jax.Array  # [noise_size]


def box_editor(space: Box, config: BoxEditorConfig | None = None) -> Editor:
    """An editor of the tasks of `space`, which has a move for each axis.

    A move chooses a part of the axis, where the value is drawn uniformly, or (`num_bins=None`) a
    number from -1 to 1, which is the way from the axis' low to its high.

    Observation: {"built": [dims], "move": [dims], "noise": [noise_size]}: values chosen so far in
    the unit cube, the number of the move as a one-hot vector (0 after the last), random numbers.

    Raises:
      TypeError: when `space` is no Box.

    >>> editor = box_editor(Box(names=("height", "spacing"), low=(0.0, 0.0), high=(3.0, 6.0)))
    >>> editor.num_moves, editor.env.action_space.num
    (2, 10)
    """
    check_kind("box_editor.space", space, Box)
    config = given(config, BoxEditorConfig)
    actions = Box(names=("value",), low=(-1.0,), high=(1.0,))
    if config.num_bins is not None:
        actions = Discrete(num=config.num_bins, name="bin")

    def value_of(key: Key, action: jax.Array) -> jax.Array:
        if config.num_bins is None:
            return (action[0] + 1) / 2
        return (action + jax.random.uniform(key)) / config.num_bins

    def reset(key: Key, level: PyTree) -> tuple[BoxEditorState, TimeStep]:
        noise = draw_noise(key, config)
        state = BoxEditorState(jnp.zeros((space.dims,)), jnp.int32(0), noise)
        return state, _shown(state)

    def step(key: Key, level: PyTree, state: BoxEditorState, action: jax.Array):
        key_value, key_noise = jax.random.split(key)
        unit = state.unit.at[state.move].set(value_of(key_value, action), mode="drop")
        noise = next_noise(key_noise, state.noise, config)
        state = BoxEditorState(unit, state.move + 1, noise)
        return state, _shown(state)

    env = Environment(
        name="box-editor",
        task_space=ALONE,
        action_space=actions,
        max_episode_steps=space.dims,
        solved_above=0.0,
        generate=lambda key, task: (),
        reset=reset,
        step=step,
    )
    finish = lambda state: space.from_unit(state.unit)  # noqa: E731
    return Editor(env=env, task_space=space, finish=finish, config=config)


def _shown(state: BoxEditorState) -> TimeStep:
    dims = state.unit.shape[0]
    move = jax.nn.one_hot(state.move, dims)
    obs = {"built": state.unit, "move": move, "noise": state.noise}
    return TimeStep(obs, jnp.float32(0), state.move >= dims, jnp.bool_(False))
