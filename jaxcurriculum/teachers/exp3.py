"""EXP3.S on learning progress: an adversarial bandit, whose arms may take turns at being the best.

    $p[i] = (1 - exploration) softmax(w)[i] + exploration / N$
    $r~[i] = (r 1(i = a) + bias) / p[i]$    arm $a$ gave the scaled reward $r$ in [-1, 1]
    $v[i] = w[i] + rate r~[i]$
    $w[i] <- log((1 - share) exp v[i] + share / (N - 1) sum_{j != i} exp v[j])$
            with $share = 1 / t$    (EXP3: $w <- v$)

$t$ counts the rewards, from 1 at the first one, after which every arm's whole weight has gone to
the others.

Source: A. Graves, M. Bellemare, J. Menick, R. Munos, K. Kavukcuoglu, "Automated curriculum learning
for neural networks", ICML 2017, arXiv 1704.03003; P. Auer, N. Cesa-Bianchi, Y. Freund, R. Schapire,
"The nonstochastic multiarmed bandit problem", 2002.
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
from jaxcurriculum.teachers.parts.arm_statistics import ArmWindow, empty, latest, one_by_one, push
from jaxcurriculum.teachers.parts.arms import Arms, explore, propose_arms


@dataclasses.dataclass(frozen=True, kw_only=True)
class Exp3Config(Config):
    """The defaults are the settings of 2017."""

    sharing: bool = field(
        True,
        help="EXP3.S: arms share their weight, so that a new best arm is found sooner; False: EXP3",
    )
    learning_rate: Swept = field(0.001, low=0, help="step of the log weights")
    exploration: Swept = field(0.05, low=0, high=1, help="share of arms drawn uniformly")
    bias: Swept = field(
        0.0,
        low=0,
        help="added to every arm's reward before it is divided by its probability",
    )
    absolute: bool = field(
        False,
        help="learning progress is |change of the return| rather than the change",
    )
    reservoir: int = field(
        1000,
        low=2,
        help="past rewards, each equally likely to be kept, whose quantiles scale the next",
    )
    low_quantile: Swept = field(0.2, low=0, high=1, help="this quantile of past rewards becomes -1")
    high_quantile: Swept = field(0.8, low=0, high=1, help="this one becomes 1")

    def __post_init__(self):
        super().__post_init__()
        quantiles = (self.low_quantile, self.high_quantile)
        is_swept = any(isinstance(q, jax.Array) for q in quantiles)
        if not is_swept and not self.low_quantile < self.high_quantile:
            raise ValueError(f"Exp3Config must have low_quantile < high_quantile, got {quantiles}.")


class Exp3State(struct.PyTreeNode):
    """Log weights, and a sample of all rewards so far."""

    log_weights: jax.Array  # [arms], the largest is 0
    returns: ArmWindow  # the latest two raw returns of each arm
    # [reservoir], unscaled rewards in increasing order, infinity where nothing was written
    reservoir: jax.Array
    num_rewards: jax.Array  # [], int32, rewards ever given


def exp3(arms: Arms, config: Exp3Config | None = None) -> Teacher:
    """An EXP3.S teacher whose reward is the learning progress of the arm practised.

    The unscaled reward of an episode is the change of its arm's return since the arm's last
    episode. It is mapped to [-1, 1] by a line through the low and high quantiles of past rewards,
    and clipped; the very first reward is 0.

    Differs from the paper: progress is measured in returns, and is not divided by an episode's
    length. An arm's first return gives no reward. All episodes of a batch are divided by the
    probabilities that stood before it, with which they were drawn (an episode that began several
    rounds ago was drawn with older ones); their rewards are taken one after the other.

    >>> from jaxcurriculum.spaces import Box
    >>> from jaxcurriculum.teachers.parts.arms import cells
    >>> teacher = exp3(cells(Box(names=("height",), low=(0.0,), high=(3.0,)), 4))
    >>> teacher.report(teacher.init(jax.random.key(0)))["probabilities"].tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    config = given(config, Exp3Config)
    check_kind("exp3.arms", arms, Arms)

    def init(key: Key) -> Exp3State:
        return Exp3State(
            log_weights=jnp.zeros((arms.num,), jnp.float32),
            returns=empty(arms.num, 2),
            reservoir=jnp.full((config.reservoir,), jnp.inf, jnp.float32),
            num_rewards=jnp.int32(0),
        )

    def probabilities(state: Exp3State) -> jax.Array:
        return explore(jax.nn.softmax(state.log_weights), config.exploration)

    def propose(key: Key, state: Exp3State, num: int) -> tuple[Exp3State, Proposals]:
        return state, propose_arms(key, arms, probabilities(state), num)

    def update(
        key: Key, state: Exp3State, episodes: Episodes, context: Context
    ) -> tuple[Exp3State, jax.Array]:
        drawn_with = probabilities(state)
        uniform = jax.random.uniform(key, episodes.valid.shape)

        def learn(state: Exp3State, arm: jax.Array, episode: Episodes, i: jax.Array) -> Exp3State:
            returns = push(state.returns, arm, episode.returns)
            change = latest(returns, arm, 0) - latest(returns, arm, 1)
            rewarded = (arm < arms.num) & (returns.num[arm] >= 2)
            progress = jnp.abs(change) if config.absolute else change
            num_kept = jnp.minimum(state.num_rewards, config.reservoir)
            scaled = _scaled(progress, state.reservoir, num_kept, config)
            estimate = (scaled * (jnp.arange(arms.num) == arm) + config.bias) / drawn_with
            log_weights = state.log_weights + config.learning_rate * estimate
            log_weights = _reweighted(log_weights, state.num_rewards + 1, config.sharing)
            reservoir = _reservoir_with(progress, state.reservoir, state.num_rewards, uniform[i])
            return Exp3State(
                log_weights=jnp.where(rewarded, log_weights, state.log_weights),
                returns=returns,
                reservoir=jnp.where(rewarded, reservoir, state.reservoir),
                num_rewards=state.num_rewards + rewarded,
            )

        return one_by_one(learn, state, episodes, arms.num), jnp.int32(0)

    def report(state: Exp3State) -> dict[str, jax.Array]:
        return {
            "probabilities": probabilities(state),
            "num_episodes": state.returns.num,
            "recent_return": state.returns.mean,
        }

    return Teacher(
        name="exp3",
        init=init,
        propose=propose,
        update=update,
        report=report,
        config=config,
    )


def _scaled(
    reward: jax.Array, reservoir: jax.Array, num: jax.Array, config: Exp3Config
) -> jax.Array:
    """`reward` in [-1, 1] by quantiles of the first `num` of the sorted `reservoir`; 0 if none."""
    low = _quantile(reservoir, num, config.low_quantile)
    high = _quantile(reservoir, num, config.high_quantile)
    width = high - low
    inside = 2.0 * (reward - low) / jnp.where(width > 0, width, 1.0) - 1.0
    inside = jnp.clip(inside, -1.0, 1.0)
    scaled = jnp.where(width > 0, inside, jnp.sign(reward - low))
    return jnp.where(num > 0, scaled, 0.0)


def _quantile(reservoir: jax.Array, num: jax.Array, q: float | jax.Array) -> jax.Array:
    position = q * jnp.maximum(num - 1, 0)
    index = jnp.floor(position).astype(jnp.int32)
    below = reservoir[index]
    above = reservoir[jnp.minimum(index + 1, jnp.maximum(num - 1, 0))]
    return below + (position - index) * (above - below)


def _reservoir_with(
    reward: jax.Array, reservoir: jax.Array, num_before: jax.Array, uniform: jax.Array
) -> jax.Array:
    """The sorted `reservoir` ([size]) after reward number `num_before` ([] int32).

    Of all rewards so far each is kept with equal probability. Which one leaves is drawn by its
    rank: as good as by its slot, and the order then needs no sorting.
    """
    size = reservoir.shape[0]
    position = jnp.arange(size)
    drawn = jnp.floor(uniform * (num_before + 1)).astype(jnp.int32)
    leaves = jnp.where(num_before < size, size - 1, drawn)
    rest = jnp.where(position < leaves, reservoir, jnp.append(reservoir[1:], jnp.inf))
    rank = jnp.sum(rest < reward)
    shifted = jnp.concatenate([reward[None], rest[:-1]])
    from_rank = jnp.where(position == rank, reward, shifted)
    inserted = jnp.where(position < rank, rest, from_rank)
    return jnp.where(leaves < size, inserted, reservoir)


def _reweighted(log_weights: jax.Array, step: jax.Array, sharing: bool) -> jax.Array:
    """The next log weights ([arms]), largest 0."""
    num = log_weights.shape[0]
    log_weights = log_weights - jnp.max(log_weights)
    if not sharing or num == 1:
        return log_weights
    share = 1.0 / step
    weights = jnp.exp(log_weights)
    others = jnp.maximum(jnp.sum(weights) - weights, 0.0)
    mixed = jnp.log((1.0 - share) * weights + share / (num - 1) * others)
    return mixed - jnp.max(mixed)
