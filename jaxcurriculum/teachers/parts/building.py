"""A builder's episodes in an editor: levels are built by its policy, and learned from later."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum import tree
from jaxcurriculum.editors import Editor
from jaxcurriculum.records import Experience, Key, PyTree
from jaxcurriculum.roles import Learner


class Moves(struct.PyTreeNode):
    """How levels were built; what the builder saw follows from it, and is not kept."""

    action: PyTree  # [num_moves, num, ...], as the policy chose them
    extras: PyTree  # [num_moves, num, ...], what it said beside


def build(
    key: Key, editor: Editor, learner: Learner, state: PyTree, num: int
) -> tuple[PyTree, Moves]:
    """Build `num` levels with the learner's policy: their tasks [num, ...] and all moves."""
    key_play, key_act = jax.random.split(key)

    def choose(key: Key, memory: PyTree, obs: PyTree, first: jax.Array):
        return learner.act(key, state, memory, obs, first, False)

    keys = jax.random.split(key_act, editor.num_moves)
    states, (_, _, moves) = _play(key_play, editor, learner.memory(num), choose, keys, num)
    return jax.vmap(editor.finish)(states), moves


def relive(
    key: Key, editor: Editor, learner: Learner, moves: Moves, worth: jax.Array, weight: jax.Array
) -> Experience:
    """What the builder learns from: the same episodes again, with `worth` as their last reward.

    Args:
      key: with which `build` made the levels.
      worth, weight: of the levels, [num] each.
    """
    key_play, _ = jax.random.split(key)
    num = worth.shape[0]
    memory = learner.memory(num)

    def choose(move: Moves, memory: PyTree, obs: PyTree, first: jax.Array):
        return memory, move.action, move.extras

    _, (obs, next_obs, _) = _play(key_play, editor, memory, choose, moves, num)
    shape = (editor.num_moves, num)
    is_last = jnp.zeros(shape, bool).at[-1].set(True)
    return Experience(
        obs=obs,
        next_obs=next_obs,
        action=moves.action,
        extras=moves.extras,
        reward=jnp.where(is_last, worth[None], 0.0),
        terminated=is_last,
        truncated=jnp.zeros(shape, bool),
        first=jnp.zeros(shape, bool).at[0].set(True),
        weight=jnp.broadcast_to(weight, shape),
        memory=memory,
    )


def no_moves(editor: Editor, learner: Learner, num: int) -> Moves:
    """Moves of levels that nobody has built."""
    key = jax.eval_shape(lambda: jax.random.key(0))
    state = jax.eval_shape(learner.init, key)
    built = jax.eval_shape(lambda key, state: build(key, editor, learner, state, num), key, state)
    return tree.blank(built[1])


def _play(
    key: Key, editor: Editor, memory: PyTree, choose: Callable, inputs: PyTree, num: int
) -> tuple[PyTree, tuple[PyTree, PyTree, Moves]]:
    """`num` whole episodes: the last states, and of every move what was seen before and after.

    Args:
      choose: (one of `inputs`, memory, obs, first) -> (memory, action, extras).
    """
    env = editor.env
    key_begin, key_steps = jax.random.split(key)

    def begin(key: Key):
        key_level, key_reset = jax.random.split(key)
        level = env.generate(key_level, env.task_space.sample(key_level))
        return level, *env.reset(key_reset, level)

    levels, states, timestep = jax.vmap(begin)(jax.random.split(key_begin, num))

    def step(carry, inputs):
        states, obs, memory, first = carry
        keys, given = inputs
        memory, action, extras = choose(given, memory, obs, first)
        legal = jax.vmap(env.action_space.clip)(action)
        states, timestep = jax.vmap(env.step)(keys, levels, states, legal)
        seen = (obs, timestep.obs, Moves(action, extras))
        return (states, timestep.obs, memory, jnp.zeros_like(first)), seen

    keys = jax.random.split(key_steps, (editor.num_moves, num))
    start = (states, timestep.obs, memory, jnp.ones((num,), bool))
    (states, *_), seen = jax.lax.scan(step, start, (keys, inputs))
    return states, seen
