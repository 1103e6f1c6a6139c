"""A memory of the last steps of a seed, from which batches are drawn.

It is a ring of rounds. The round decides which entry is written, so that under a `vmap` over seeds,
which share their round, a write is one slice and no scatter. An observation is kept once: the next
one of a step is that of the step after it. Where that is another episode's or another round's, it
lies apart: every round also keeps the last observation of each environment, and the one at which
its episode was truncated. A terminated episode needs none, as nothing follows.
"""

from __future__ import annotations

import dataclasses
import math

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum import tree
from jaxcurriculum.checks import GIB
from jaxcurriculum.configs import Config, field
from jaxcurriculum.device.memory import memory_bytes
from jaxcurriculum.records import Experience, Key, PyTree


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReplayConfig(Config):
    """What is remembered, and how much is learned from it."""

    capacity: int = field(
        262_144, low=1, help="steps remembered; a multiple of a round's num_envs * num_steps"
    )
    batch_size: int = field(256, low=1, help="samples a gradient step")
    num_updates: int = field(64, low=1, help="gradient steps a round")
    random_steps: int = field(
        10_000,
        low=0,
        help="steps with uniform actions, without learning; rounded up to whole rounds",
    )


class Steps(struct.PyTreeNode):
    """What is kept of a step beside observations."""

    action: PyTree
    extras: PyTree
    reward: jax.Array
    terminated: jax.Array  # bool
    truncated: jax.Array  # bool
    weight: jax.Array  # 0 where a truncated step has lost its next observation


class Replay(struct.PyTreeNode):
    """The last rounds of a seed, every field with leading axis [rounds]."""

    obs: PyTree  # [rounds, num_steps + 1, num_envs, ...], with the one after the last step
    cut_obs: PyTree  # [rounds, num_envs, ...], at which an episode was truncated before that
    steps: Steps  # [rounds, num_steps, num_envs, ...]


def init_replay(like: Experience, capacity: int) -> Replay:
    """An empty memory of `capacity` steps for rounds like `like` (arrays or their shapes)."""
    num_steps, num_envs = like.reward.shape
    return tree.blank(jax.eval_shape(_entry, like)[0], capacity // (num_steps * num_envs))


def remember(replay: Replay, experience: Experience, round: jax.Array) -> tuple[Replay, jax.Array]:
    """Put `experience` in the place of the oldest round; `round` ([] int32) is its number.

    An environment has one place a round for an episode that is truncated before the last step. Of
    several, all but the last get weight 0.

    Returns:
      the memory, and how many steps lost their weight so, [] int32.
    """
    entry, num_lost = _entry(experience)
    index = round % replay.steps.reward.shape[0]

    def write(ring: jax.Array, new: jax.Array) -> jax.Array:
        return jax.lax.dynamic_update_index_in_dim(ring, new, index, axis=0)

    return jax.tree.map(write, replay, entry), num_lost


def sample(key: Key, replay: Replay, round: jax.Array, num: int) -> Experience:
    """`num` steps out of those of the rounds up to `round`, with repetition; fields [1, num, ...].

    Each is a sequence of its own, so that all are `first`.
    """
    num_rounds, num_steps, num_envs = replay.steps.reward.shape
    num_known = jnp.minimum(round + 1, num_rounds) * (num_steps * num_envs)
    place = jax.random.randint(key, (num,), 0, num_known)
    row, env = place // num_envs, place % num_envs
    row, step = row // num_steps, row % num_steps

    def look_up(tree: PyTree, *index: jax.Array) -> PyTree:
        return jax.tree.map(lambda leaf: leaf[index], tree)

    steps = look_up(replay.steps, row, step, env)
    is_cut = steps.truncated & (step + 1 < num_steps)
    following = look_up(replay.obs, row, step + 1, env)
    fields = {each.name: getattr(steps, each.name) for each in dataclasses.fields(Steps)}
    batch = Experience(
        obs=look_up(replay.obs, row, step, env),
        next_obs=tree.where(is_cut, look_up(replay.cut_obs, row, env), following),
        first=jnp.ones((num,), bool),
        memory=(),
        **fields,
    )
    return jax.tree.map(lambda leaf: leaf[None], batch)


def _entry(experience: Experience) -> tuple[Replay, jax.Array]:
    """A round as it is kept, and how many steps lost their weight."""
    num_steps = experience.reward.shape[0]
    step = jnp.arange(num_steps)[:, None]
    is_cut = experience.truncated & (step + 1 < num_steps)
    later = jnp.flip(jnp.cumsum(jnp.flip(is_cut, 0), 0), 0)
    is_lost = is_cut & (later > 1)
    last_cut = jnp.max(jnp.where(is_cut, step, 0), axis=0)
    envs = jnp.arange(is_cut.shape[1])
    kept = {
        each.name: getattr(experience, each.name)
        for each in dataclasses.fields(Steps)
        if each.name != "weight"
    }
    entry = Replay(
        obs=jax.tree.map(
            lambda now, following: jnp.concatenate([now, following[-1:]]),
            experience.obs,
            experience.next_obs,
        ),
        cut_obs=jax.tree.map(lambda leaf: leaf[last_cut, envs], experience.next_obs),
        steps=Steps(weight=jnp.where(is_lost, 0, experience.weight), **kept),
    )
    return entry, jnp.sum(is_lost, dtype=jnp.int32)


def check_replay(config: ReplayConfig, like: Experience) -> None:
    """Check that a memory of rounds like `like` can be made.

    Raises:
      ValueError: when its capacity is no multiple of a round's steps, or when it is larger than
          this machine's memory.
    """
    steps = math.prod(like.reward.shape)
    if config.capacity % steps:
        raise ValueError(
            "ReplayConfig.capacity must be a multiple of num_envs * num_steps ="
            f" {steps}, got {config.capacity}."
        )
    shapes = jax.eval_shape(lambda: init_replay(like, config.capacity))
    needed, there = tree.num_bytes(shapes), memory_bytes()
    if needed > there:
        raise ValueError(
            f"ReplayConfig.capacity of {config.capacity} steps takes {needed / GIB:.3g} GiB a"
            f" seed, but there are {there / GIB:.3g} GiB of memory: remember fewer."
        )
