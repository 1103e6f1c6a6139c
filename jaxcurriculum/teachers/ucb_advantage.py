"""DUMP: an upper confidence bound on each arm's mean absolute advantage.

The advantage says how much there is to learn from an arm.

    $ucb[a] = A[a] + bonus sqrt(2 log(n + 1) / (n[a] + 1))$
    $A[a]$: mean of |advantage| over the arm's latest `window` episodes
    $n[a]$: episodes of arm $a$ so far, $n$: of all arms
    propose: $softmax(ucb / temperature)$, or the arm whose bound is highest

Source: Z. Wang, G. Cui, Y.-J. Li, K. Wan, W. Zhao, "DUMP: Automated distribution-level curriculum
learning for RL-based LLM post-training", 2025, arXiv 2504.09710.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.configs import Config, Swept, field
from jaxcurriculum.fields import check_kind, given
from jaxcurriculum.records import Episodes, Key, Proposals
from jaxcurriculum.roles import Context, Teacher
from jaxcurriculum.teachers.parts.arm_statistics import ArmWindow, empty, is_arm, one_by_one, push
from jaxcurriculum.teachers.parts.arms import Arms, greedy, propose_arms
from jaxcurriculum.teachers.parts.ring import is_measured


@dataclasses.dataclass(frozen=True, kw_only=True)
class UcbAdvantageConfig(Config):
    """As published, for advantages about 1 in size: see `advantage_scale`."""

    window: int = field(300, low=1, help="latest episodes of an arm in its mean")
    temperature: Swept = field(0.1, low=1e-12, help="of the softmax over the bounds")
    bonus: Swept = field(1.0, low=0, help="weight of the confidence term; 0: none")
    advantage_scale: Swept = field(
        1.0,
        low=1e-12,
        help="advantages are divided by it; in units of the return",
    )
    selection: Literal["softmax", "highest"] = field(
        "softmax",
        help="draw an arm by its bound, or take the highest",
    )


class UcbAdvantageState(struct.PyTreeNode):
    """What each arm gave."""

    # absolute advantages of the latest episodes, divided by `advantage_scale`
    advantages: ArmWindow
    # [arms], raw returns: their mean, after `window` episodes a moving average of rate 1 / window
    mean_return: jax.Array


def ucb_advantage(arms: Arms, config: UcbAdvantageConfig | None = None) -> Teacher:
    """A bandit teacher that prefers arms with large advantages, and arms it has hardly tried.

    The absolute advantage of an episode is the student's own, averaged over its steps
    (`l1_value_loss`). Where the student gives none it is |return - mean return of the arm|, a mean
    over about the latest `window` episodes, this one included. A seed's state takes 4 `window`
    bytes an arm, 2 MB for 1,600 arms.

    Differs from the paper: there the advantage of a whole answer is its return, normalised within a
    group of answers to one question; here `advantage_scale` says which advantage counts as 1. The
    paper updates once a batch; here the second form of the advantage compares each episode of a
    batch with those before it.

    >>> from jaxcurriculum.spaces import Box
    >>> from jaxcurriculum.teachers.parts.arms import cells
    >>> teacher = ucb_advantage(cells(Box(names=("height",), low=(0.0,), high=(3.0,)), 4))
    >>> teacher.report(teacher.init(jax.random.key(0)))["probabilities"].tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    config = given(config, UcbAdvantageConfig)
    check_kind("ucb_advantage.arms", arms, Arms)

    def init(key: Key) -> UcbAdvantageState:
        return UcbAdvantageState(
            advantages=empty(arms.num, config.window),
            mean_return=jnp.zeros((arms.num,), jnp.float32),
        )

    def bounds(state: UcbAdvantageState) -> jax.Array:
        num = state.advantages.num.astype(jnp.float32)
        confidence = jnp.sqrt(2.0 * jnp.log1p(jnp.sum(num)) / (num + 1.0))
        return state.advantages.mean + config.bonus * confidence

    def probabilities(state: UcbAdvantageState) -> jax.Array:
        if config.selection == "highest":
            return greedy(bounds(state))
        return jax.nn.softmax(bounds(state) / config.temperature)

    def propose(
        key: Key, state: UcbAdvantageState, num: int
    ) -> tuple[UcbAdvantageState, Proposals]:
        return state, propose_arms(key, arms, probabilities(state), num)

    def learn(
        state: UcbAdvantageState, arm: jax.Array, episode: Episodes, i: jax.Array
    ) -> UcbAdvantageState:
        before = state.mean_return[arm]
        num = jnp.minimum(state.advantages.num[arm] + 1, config.window)
        mean = before + (episode.returns - before) / num
        advantage = jnp.abs(episode.returns - mean)
        if episode.critic is not None:
            own = episode.critic.l1_value_loss
            advantage = jnp.where(is_measured(own), own, advantage)
        advantage = advantage / config.advantage_scale
        return UcbAdvantageState(
            advantages=push(state.advantages, arm, advantage),
            mean_return=jnp.where(is_arm(state.advantages, arm), mean, state.mean_return),
        )

    def update(
        key: Key, state: UcbAdvantageState, episodes: Episodes, context: Context
    ) -> tuple[UcbAdvantageState, jax.Array]:
        return one_by_one(learn, state, episodes, arms.num), jnp.int32(0)

    def report(state: UcbAdvantageState) -> dict[str, jax.Array]:
        return {
            "probabilities": probabilities(state),
            "bound": bounds(state),
            "mean_advantage": state.advantages.mean,
            "mean_return": state.mean_return,
            "num_episodes": state.advantages.num,
        }

    return Teacher(
        name="ucb-advantage",
        init=init,
        propose=propose,
        update=update,
        report=report,
        config=config,
    )
