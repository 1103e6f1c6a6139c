"""Oracle teacher: a hand-made curriculum, a window that slides from easy to hard tasks.

Source: R. Portelas et al., "Teacher algorithms for curriculum learning of Deep RL in continuously
parameterized environments", CoRL 2019, and the code published with it.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.configs import Config, Swept, field
from jaxcurriculum.fields import check_kind, given
from jaxcurriculum.records import Episodes, Key, Proposals, fresh_proposals
from jaxcurriculum.roles import Context, Teacher
from jaxcurriculum.spaces import Box
from jaxcurriculum.teachers.parts import ring


@dataclasses.dataclass(frozen=True, kw_only=True)
class OracleConfig(Config):
    """The default step is the one published for Stump Tracks: taller and closer stumps."""

    step: tuple[float, ...] = field(
        (0.1, -0.2),
        help="shift of the window, one entry an axis, in its unit; its sign says where hard is",
    )
    window: Swept = field(
        1 / 6,
        low=1e-6,
        high=1,
        help="side of the window, fraction of the axis' range",
    )
    judge_every: int = field(50, low=1, help="episodes between two judgements, and episodes judged")
    threshold: Swept = field(230.0, help="mean raw return above which the window moves")


class OracleState(struct.PyTreeNode):
    """Where the window stands, and the returns since it was last judged."""

    low: jax.Array  # [dims], the window's low corner, in the axes' units
    returns: ring.History  # width 1, size judge_every, raw returns
    num_unjudged: jax.Array  # [], int32, episodes since the last judgement


def oracle(task_space: Box, config: OracleConfig | None = None) -> Teacher:
    """A teacher that draws uniformly in a window, which moves when the student masters it.

    The window starts at the low end of every axis whose step is positive (or 0) and at the high end
    of the others. Once `judge_every` episodes have ended since the last judgement, the mean raw
    return of the latest `judge_every` is compared with `threshold`; above it the window moves by
    one step, and stops at the bounds. Either way the count begins again.

    Differs from the paper: a batch that holds several times `judge_every` episodes is judged once,
    by its latest, since all of them were drawn before the window could move. One episode a round
    gives the published rule.

    Raises:
      ValueError: when `step` has not one entry an axis.

    >>> box = Box(names=("height", "spacing"), low=(0.0, 0.0), high=(3.0, 6.0))
    >>> oracle(box).init(jax.random.key(0)).low.tolist()
    [0.0, 5.0]
    """
    check_kind("oracle.task_space", task_space, Box)
    config = given(config, OracleConfig)
    if len(config.step) != task_space.dims:
        raise ValueError(
            f"OracleConfig.step must have one entry an axis: {task_space.dims} axes but"
            f" step={config.step}."
        )
    low, high = task_space.bounds
    step = np.array(config.step, np.float32)
    side = config.window * (high - low)
    start = jnp.where(step >= 0, low, high - side)

    def init(key: Key) -> OracleState:
        returns = ring.empty(1, config.judge_every)
        return OracleState(low=start, returns=returns, num_unjudged=jnp.int32(0))

    def propose(key: Key, state: OracleState, num: int) -> tuple[OracleState, Proposals]:
        key_tasks, key_seeds = jax.random.split(key)
        inside = jax.random.uniform(key_tasks, (num, task_space.dims))
        tasks = state.low[None] + inside * side[None]
        tasks = jax.vmap(task_space.clip)(tasks)
        return state, fresh_proposals(key_seeds, tasks)

    def update(
        key: Key, state: OracleState, episodes: Episodes, context: Context
    ) -> tuple[OracleState, jax.Array]:
        order, num_valid = ring.valid_first(ring.usable(episodes))
        returns = ring.insert(state.returns, episodes.returns[order][None], num_valid)
        num_unjudged = state.num_unjudged + num_valid
        due = num_unjudged >= config.judge_every
        mastered = due & (jnp.mean(returns.values) > config.threshold)
        shifted = jnp.clip(state.low + step, low, high - side)
        state = OracleState(
            low=jnp.where(mastered, shifted, state.low),
            returns=returns,
            num_unjudged=jnp.where(due, 0, num_unjudged),
        )
        return state, jnp.int32(0)

    def report(state: OracleState) -> dict[str, jax.Array]:
        return {"low": state.low, "high": state.low + side}

    return Teacher(
        name="oracle",
        init=init,
        propose=propose,
        update=update,
        report=report,
        config=config,
    )
