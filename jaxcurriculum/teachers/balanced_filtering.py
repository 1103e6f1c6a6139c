"""Balanced online difficulty filtering: practise arms that succeed about every other time.

    $p[a]$ = share of solved episodes among the arm's latest `window`
    propose an arm in proportion to
        1 (or $p (1 - p)$, the variance of success)   if $low <= p[a] <= high$,
        the weight at $p = 1/2$                       if the arm has fewer than `min_episodes`,
        0                                             otherwise

The expected improvement of the policy is bounded from below by the variance of success, which is
highest at $p = 1/2$.

Source: S. Bae, J. Hong, M. Y. Lee, H. Kim, J. Nam, D. Kwak, "Online difficulty filtering for
reasoning oriented reinforcement learning", 2025, arXiv 2504.03380.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.configs import Config, Swept, field
from jaxcurriculum.fields import check_kind, given
from jaxcurriculum.records import Episodes, Key, Proposals
from jaxcurriculum.roles import Context, Teacher
from jaxcurriculum.teachers.parts.arm_statistics import ArmWindow, empty, one_by_one, push
from jaxcurriculum.teachers.parts.arms import Arms, explore, propose_arms
from jaxcurriculum.teachers.parts.sampling import log_proportional


@dataclasses.dataclass(frozen=True, kw_only=True)
class BalancedFilteringConfig(Config):
    """A band of success rates about one half."""

    low: Swept = field(0.25, low=0, high=1, help="success rate below which an arm is too hard")
    high: Swept = field(0.75, low=0, high=1, help="success rate above which it is too easy")
    window: int = field(16, low=1, help="latest episodes of an arm in its success rate")
    min_episodes: int = field(4, low=1, help="an arm with fewer is unknown, and explored")
    learnability: bool = field(
        False,
        help="weight arms in the band by p (1 - p); False: equally, as published",
    )
    exploration: Swept = field(
        0.1,
        low=0,
        high=1,
        help="share of arms drawn uniformly, by which filtered arms are judged again",
    )

    def __post_init__(self):
        super().__post_init__()
        is_swept = isinstance(self.low, jax.Array) or isinstance(self.high, jax.Array)
        if not is_swept and not self.low <= self.high:
            raise ValueError(
                f"BalancedFilteringConfig must have low <= high, got {self.low} and {self.high}."
            )
        if self.min_episodes > self.window:
            raise ValueError(
                "BalancedFilteringConfig.window must hold at least"
                f" min_episodes={self.min_episodes} episodes, got {self.window}."
            )


class BalancedFilteringState(struct.PyTreeNode):
    """How the latest episodes of each arm ended."""

    solved: ArmWindow  # 1 for a solved episode, else 0; its mean is the success rate


def balanced_filtering(arms: Arms, config: BalancedFilteringConfig | None = None) -> Teacher:
    """A bandit teacher that drops arms which are too easy or too hard for the student as it is now.

    If every arm is known and outside the band, arms are drawn in proportion to p (1 - p); if that
    is 0 for all, equally.

    Differs from the paper: there a question's success rate is measured anew by a group of attempts
    at each visit, and questions outside the band are thrown away after them; here it is remembered
    from the arm's latest episodes and filters what is proposed.

    >>> from jaxcurriculum.spaces import Box
    >>> from jaxcurriculum.teachers.parts.arms import cells
    >>> teacher = balanced_filtering(cells(Box(names=("height",), low=(0.0,), high=(3.0,)), 4))
    >>> teacher.report(teacher.init(jax.random.key(0)))["probabilities"].tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    config = given(config, BalancedFilteringConfig)
    check_kind("balanced_filtering.arms", arms, Arms)

    def init(key: Key) -> BalancedFilteringState:
        return BalancedFilteringState(solved=empty(arms.num, config.window))

    def probabilities(state: BalancedFilteringState) -> jax.Array:
        rate = state.solved.mean
        unknown = state.solved.num < config.min_episodes
        eligible = unknown | ((rate >= config.low) & (rate <= config.high))
        variance = jnp.where(unknown, 0.25, rate * (1.0 - rate))
        weight = variance if config.learnability else jnp.ones_like(rate)
        some = jnp.any(eligible)
        logits = log_proportional(jnp.where(some, weight, variance), eligible | ~some)
        return explore(jax.nn.softmax(logits), config.exploration)

    def propose(
        key: Key, state: BalancedFilteringState, num: int
    ) -> tuple[BalancedFilteringState, Proposals]:
        return state, propose_arms(key, arms, probabilities(state), num)

    def learn(
        state: BalancedFilteringState, arm: jax.Array, episode: Episodes, i: jax.Array
    ) -> BalancedFilteringState:
        solved = episode.solved.astype(jnp.float32)
        return BalancedFilteringState(solved=push(state.solved, arm, solved))

    def update(
        key: Key, state: BalancedFilteringState, episodes: Episodes, context: Context
    ) -> tuple[BalancedFilteringState, jax.Array]:
        return one_by_one(learn, state, episodes, arms.num), jnp.int32(0)

    def report(state: BalancedFilteringState) -> dict[str, jax.Array]:
        return {
            "probabilities": probabilities(state),
            "success_rate": state.solved.mean,
            "num_episodes": state.solved.num,
        }

    return Teacher(
        name="balanced-filtering",
        init=init,
        propose=propose,
        update=update,
        report=report,
        config=config,
    )
