"""Teacher-Student Curriculum Learning (TSCL): practise arms whose return changes fastest.

    $Q[a] <- rate r + (1 - rate) Q[a]$    arm $a$ just practised, $r$ its reward; practise by $|Q|$
    online:    $r$ = the change of the arm's return since its last episode
    naive:     $r$ = slope of the returns of `window` episodes in a row on one arm
    window:    $r$ = slope of the arm's latest `window` returns over the times of their episodes
    sampling:  no $Q$: draw one of each arm's latest `window` changes,
               practise the arm whose draw is largest

Source: T. Matiisen, A. Oliver, T. Cohen, J. Schulman, "Teacher-Student Curriculum Learning", 2017,
arXiv 1707.00183.
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
from jaxcurriculum.teachers.parts.arm_statistics import (
    ArmWindow,
    empty,
    is_arm,
    latest,
    one_by_one,
    push,
    slope,
)
from jaxcurriculum.teachers.parts.arms import (
    Arms,
    draw,
    explore,
    greedy,
    propose_arms,
    propose_from,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TsclConfig(Config):
    """The defaults are the authors' numbers."""

    algorithm: Literal["online", "naive", "window", "sampling"] = field(
        "online",
        help="how an arm is rewarded",
    )
    policy: Literal["epsilon-greedy", "boltzmann"] = field(
        "epsilon-greedy",
        help="how an arm is chosen by its Q",
    )
    exploration: Swept = field(
        0.1,
        low=0,
        high=1,
        help="share of arms drawn uniformly (epsilon-greedy)",
    )
    temperature: Swept = field(
        0.0004,
        low=1e-12,
        help="of the Boltzmann policy, in units of the return",
    )
    learning_rate: Swept = field(0.1, low=0, high=1, help="weight of the newest reward in Q")
    window: int = field(10, low=1, help="episodes of an arm in a slope, or changes drawn from")
    absolute: bool = field(
        True,
        help="follow |Q|, so that forgotten arms come back; False: the largest Q, as an option",
    )

    def __post_init__(self):
        super().__post_init__()
        if self.algorithm == "sampling" and self.policy != "epsilon-greedy":
            raise ValueError(
                "TsclConfig.policy must be 'epsilon-greedy' where algorithm is 'sampling', got"
                f" {self.policy!r}."
            )
        if self.algorithm in ("naive", "window") and self.window < 2:
            rule = f"at least 2 where algorithm is {self.algorithm!r}"
            raise ValueError(f"TsclConfig.window must be {rule}, got {self.window}.")


class TsclState(struct.PyTreeNode):
    """What the teacher remembers; returns are raw."""

    value: jax.Array  # [arms], Q: change of the return an episode (window: an episode of any arm)
    returns: ArmWindow  # the latest returns of each arm
    times: jax.Array  # [arms, size], int32, the number of the episode that gave each of them
    num_episodes: jax.Array  # [], int32
    current: jax.Array  # [], int32, naive: the arm proposed last
    num_left: jax.Array  # [], int32, naive: proposals of it that its row still lacks


def tscl(arms: Arms, config: TsclConfig | None = None) -> Teacher:
    """A bandit teacher that follows the slope of each arm's learning curve.

    Of equally good arms each is equally likely.

    Differs from the paper: an arm's first return has nothing to differ from, so it gives no reward
    and only sets the mark; an arm with one return has no slope. In "sampling" an arm without a
    change yet counts as the best (the paper: as a change of 1, the largest there is if returns lie
    in [0, 1]), and arms are explored as in the authors' code (`exploration=0` is the paper's rule).
    The authors' code for "window" has no average over slopes: `learning_rate=1`. The arms of a
    round are drawn before its episodes are known; "naive" gives each drawn arm `window` proposals
    in a row, that go on in the next round, and takes a slope of every `window` episodes of an arm.

    >>> from jaxcurriculum.spaces import Box
    >>> from jaxcurriculum.teachers.parts.arms import cells
    >>> teacher = tscl(cells(Box(names=("height",), low=(0.0,), high=(3.0,)), 4))
    >>> teacher.report(teacher.init(jax.random.key(0)))["probabilities"].tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    config = given(config, TsclConfig)
    size = {"online": 2, "sampling": config.window + 1}.get(config.algorithm, config.window)
    check_kind("tscl.arms", arms, Arms)

    def init(key: Key) -> TsclState:
        return TsclState(
            value=jnp.zeros((arms.num,), jnp.float32),
            returns=empty(arms.num, size),
            times=jnp.zeros((arms.num, size), jnp.int32),
            num_episodes=jnp.int32(0),
            current=jnp.int32(0),
            num_left=jnp.int32(0),
        )

    def probabilities(state: TsclState) -> jax.Array:
        score = jnp.abs(state.value) if config.absolute else state.value
        if config.policy == "boltzmann":
            return jax.nn.softmax(score / config.temperature)
        return explore(greedy(score), config.exploration)

    def propose(key: Key, state: TsclState, num: int) -> tuple[TsclState, Proposals]:
        key_arms, key_tasks, key_ties = jax.random.split(key, 3)
        if config.algorithm == "naive":
            chosen = _rows_of_practice(key_arms, state, probabilities(state), config.window, num)
            num_left = (state.num_left - num) % config.window
            state = state.replace(current=chosen[-1], num_left=num_left)
            return state, propose_from(key_tasks, arms, chosen)
        if config.algorithm == "sampling":
            uniform = jax.random.uniform(key_arms, (num, arms.num))
            each = jax.vmap(lambda u: sampled_probabilities(u, state.returns, config))(uniform)
            keys = jax.random.split(key_ties, num)
            chosen = jax.vmap(lambda key, p: draw(key, p, 1)[0])(keys, each)
            return state, propose_from(key_tasks, arms, chosen)
        return state, propose_arms(key_tasks, arms, probabilities(state), num)

    def learn(state: TsclState, arm: jax.Array, episode: Episodes, i: jax.Array) -> TsclState:
        here = is_arm(state.returns, arm)
        slot = state.returns.num[arm] % size
        returns = push(state.returns, arm, episode.returns)
        is_written = here[:, None] & (jnp.arange(size) == slot)[None, :]
        times = jnp.where(is_written, state.num_episodes, state.times)
        reward, ready = _reward(returns, times[arm] - state.num_episodes, arm, config.algorithm)
        value = config.learning_rate * reward + (1.0 - config.learning_rate) * state.value
        return state.replace(
            value=jnp.where(here & ready, value, state.value),
            returns=returns,
            times=times,
            num_episodes=state.num_episodes + (arm < arms.num),
        )

    def update(
        key: Key, state: TsclState, episodes: Episodes, context: Context
    ) -> tuple[TsclState, jax.Array]:
        return one_by_one(learn, state, episodes, arms.num), jnp.int32(0)

    def report(state: TsclState) -> dict[str, jax.Array]:
        shown = {
            "value": state.value,
            "num_episodes": state.returns.num,
            "recent_return": state.returns.mean,
        }
        if config.algorithm == "sampling":
            return shown
        return {"probabilities": probabilities(state), **shown}

    return Teacher(
        name="tscl",
        init=init,
        propose=propose,
        update=update,
        report=report,
        config=config,
    )


def sampled_probabilities(uniform: jax.Array, returns: ArmWindow, config: TsclConfig) -> jax.Array:
    """Probabilities ([arms]) in "sampling", where each arm drew change `uniform` in [0, 1)."""
    num_arms, size = returns.values.shape
    arm = jnp.arange(num_arms)
    num_changes = jnp.clip(returns.num - 1, 0, size - 1)
    age = (uniform * num_changes).astype(jnp.int32)
    age = jnp.minimum(age, jnp.maximum(num_changes - 1, 0))
    change = latest(returns, arm, age) - latest(returns, arm, age + 1)
    score = jnp.abs(change) if config.absolute else change
    score = jnp.where(num_changes > 0, score, jnp.inf)
    return explore(greedy(score), config.exploration)


def _reward(
    returns: ArmWindow, age: jax.Array, arm: jax.Array, algorithm: str
) -> tuple[jax.Array, jax.Array]:
    """The reward ([]) of the episode just pushed, and whether there is one ([] bool).

    `age` ([size]) are the times minus now.
    """
    num, values = returns.num[arm], returns.values[arm]
    size = values.shape[0]
    position = jnp.arange(size)
    if algorithm == "naive":
        return slope(position.astype(jnp.float32), values, position < size), num % size == 0
    if algorithm == "window":
        return slope(age.astype(jnp.float32), values, position < num), num >= 2
    return latest(returns, arm, 0) - latest(returns, arm, 1), num >= 2


def _rows_of_practice(
    key: Key, state: TsclState, probabilities: jax.Array, row: int, num: int
) -> jax.Array:
    """Arms: the rest of the current row, then freshly drawn arms, `row` times each."""
    position = jnp.arange(num, dtype=jnp.int32) - state.num_left
    fresh = draw(key, probabilities, -(-num // row))
    return jnp.where(position < 0, state.current, fresh[jnp.maximum(position, 0) // row])
