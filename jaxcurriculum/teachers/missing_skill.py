"""Missing-skill reweighting (STAT): practise skills (arms) that recent episodes lack.

    $profile[a]$ = share of failed episodes among the arm's latest `window`;
                 0 if it is below `missing_from`, 1 for an untried arm
    $p[a] = (1 - exploration) profile[a] / sum_b profile[b] + exploration / N$

Source: Y. He, A. Panigrahi, Y. Lin, S. Arora, "Skill-targeted adaptive training", 2025, arXiv
2510.10023 (there STAT-Sel).
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
class MissingSkillConfig(Config):
    """How recent failures count."""

    window: int = field(16, low=1, help="latest episodes of a skill in its failure rate")
    missing_from: Swept = field(
        0.0,
        low=0,
        high=1,
        help="failure rate from which a skill counts as missing",
    )
    exploration: Swept = field(
        0.1,
        low=0,
        high=1,
        help="share of skills drawn uniformly, by which forgetting is seen",
    )


class MissingSkillState(struct.PyTreeNode):
    """How the latest episodes of each skill ended."""

    failed: ArmWindow  # 1 for an episode that was not solved, else 0; its mean is the failure rate


def missing_skill(arms: Arms, config: MissingSkillConfig | None = None) -> Teacher:
    """A bandit teacher that draws skills in proportion to the student's missing-skill profile.

    If no skill is missing each is equally likely.

    Differs from the paper: there a stronger language model names the skills that each wrong answer
    lacks, and the profile counts them, once before the training; here a failed episode lacks the
    skill of its arm, the profile holds rates rather than counts (a count would grow with practice),
    and it follows every episode.

    >>> from jaxcurriculum.spaces import Box
    >>> from jaxcurriculum.teachers.parts.arms import cells
    >>> teacher = missing_skill(cells(Box(names=("height",), low=(0.0,), high=(3.0,)), 4))
    >>> teacher.report(teacher.init(jax.random.key(0)))["profile"].tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    config = given(config, MissingSkillConfig)
    check_kind("missing_skill.arms", arms, Arms)

    def init(key: Key) -> MissingSkillState:
        return MissingSkillState(failed=empty(arms.num, config.window))

    def profile(state: MissingSkillState) -> jax.Array:
        rate = jnp.where(state.failed.num > 0, state.failed.mean, 1.0)
        return jnp.where(rate >= config.missing_from, rate, 0.0)

    def probabilities(state: MissingSkillState) -> jax.Array:
        every = jnp.ones((arms.num,), bool)
        return explore(jax.nn.softmax(log_proportional(profile(state), every)), config.exploration)

    def propose(
        key: Key, state: MissingSkillState, num: int
    ) -> tuple[MissingSkillState, Proposals]:
        return state, propose_arms(key, arms, probabilities(state), num)

    def learn(
        state: MissingSkillState, arm: jax.Array, episode: Episodes, i: jax.Array
    ) -> MissingSkillState:
        return MissingSkillState(failed=push(state.failed, arm, 1.0 - episode.solved))

    def update(
        key: Key, state: MissingSkillState, episodes: Episodes, context: Context
    ) -> tuple[MissingSkillState, jax.Array]:
        return one_by_one(learn, state, episodes, arms.num), jnp.int32(0)

    def report(state: MissingSkillState) -> dict[str, jax.Array]:
        return {
            "probabilities": probabilities(state),
            "profile": profile(state),
            "num_episodes": state.failed.num,
        }

    return Teacher(
        name="missing-skill",
        init=init,
        propose=propose,
        update=update,
        report=report,
        config=config,
    )
