"""Repeat Previous: name the suit of the card that was shown some steps ago.

Source: S. Morad et al., "POPGym: Benchmarking partially observable reinforcement learning", 2023,
arXiv:2303.01859.
"""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.envs.memory.viewer import RepeatPreviousViewer
from jaxcurriculum.fields import are_numbers, is_integer
from jaxcurriculum.records import Key, PyTree, TimeStep
from jaxcurriculum.roles import Environment
from jaxcurriculum.spaces import Box, Discrete

NUM_SUITS = 4
NUM_CARDS = 52  # of a deck


class Cards(struct.PyTreeNode):
    """A level: the order of the cards, and how far back the right answer lies."""

    suits: jax.Array  # [num_cards], int32
    delay: jax.Array  # [], int32, steps
    shown_delay: jax.Array  # [1], in the unit interval


class Table(struct.PyTreeNode):
    """What lies on the table."""

    time: jax.Array  # [], int32, cards played
    answer: jax.Array  # [], int32, the last one; -1 before the first


def repeat_previous(delay: Sequence[int] = (1, 16), num_decks: int = 1) -> Environment:
    """Cards are shown one by one; the agent names the suit of the one `delay` steps before.

    The delay, a whole number of steps, is the task (what lies between is rounded). A right answer
    gets 1 / (n - delay) with n cards, a wrong one as much less than nothing, and the first `delay`
    answers nothing: returns lie between -1 and 1. The episode is over when all cards were shown.
    It is solved when 95 % of the answers are right. Whoever remembers nothing gets -0.49 at best
    with one deck: a card of another suit than the one shown is right with probability 13 / 51.

    Observation: {"suit": [4], one-hot, "delay": [1], the task in the unit interval}.

    Differs from the paper's program (POPGym 1.0.7): a delay of k is k steps, as the paper says,
    there k - 1, and nothing is asked at its last card. RepeatPreviousEasy, Medium and Hard have the
    k 4, 32 and 64 with 1, 2 and 3 decks. As many answers count, and as much, with those delays:
    `repeat_previous((4, 4))`, `((32, 32), 2)` and `((64, 64), 3)`. The same cards are asked for
    with one step less: `((3, 3))`, `((31, 31), 2)` and `((63, 63), 3)`.

    Args:
      delay: (least, largest), steps.
      num_decks: of 52 cards, shuffled together.

    Raises:
      ValueError: when there is no deck, or the delays are not two positive whole numbers, the first
        not above the second, below the number of cards.

    >>> env = repeat_previous((32, 32), num_decks=2)
    >>> env.max_episode_steps, env.action_space.num
    (104, 4)
    """
    if not is_integer(num_decks, 1, 1000):
        raise ValueError(f"num_decks must be an integer from 1 to 1,000, got {num_decks!r}.")
    num_cards = num_decks * NUM_CARDS
    _check_delay(delay, num_cards)
    space = Box(names=("delay",), low=delay[:1], high=delay[1:], units=("steps",))
    deck = jnp.arange(num_cards, dtype=jnp.int32) % NUM_SUITS

    def generate(key: Key, task: jax.Array) -> Cards:
        task = space.clip(jnp.round(task))
        suits = jax.random.permutation(key, deck)
        return Cards(suits, task[0].astype(jnp.int32), space.to_unit(task))

    def observe(level: Cards, time: jax.Array) -> PyTree:
        suit = level.suits.at[time].get(mode="fill", fill_value=-1)  # none after the last card
        return {"suit": jax.nn.one_hot(suit, NUM_SUITS), "delay": level.shown_delay}

    def reset(key: Key, level: Cards) -> tuple[Table, TimeStep]:
        start, no = Table(jnp.int32(0), jnp.int32(-1)), jnp.bool_(False)
        return start, TimeStep(observe(level, start.time), jnp.float32(0), no, no)

    def step(key: Key, level: Cards, state: Table, action: jax.Array):
        asked = state.time - level.delay
        is_right = action == level.suits[jnp.maximum(asked, 0)]
        worth = 1.0 / (num_cards - level.delay)
        reward = jnp.where(asked < 0, 0.0, jnp.where(is_right, worth, -worth))
        state = Table(state.time + 1, jnp.asarray(action, jnp.int32))
        over = state.time >= num_cards
        return state, TimeStep(observe(level, state.time), reward, over, jnp.bool_(False))

    return Environment(
        name="repeat-previous",
        task_space=space,
        action_space=Discrete(num=NUM_SUITS, name="suit"),
        max_episode_steps=num_cards,
        solved_above=0.9,
        generate=generate,
        reset=reset,
        step=step,
        viewer=RepeatPreviousViewer(),
        return_range=(-1.0, 1.0),
    )


def _check_delay(delay: Sequence[int], num_cards: int) -> None:
    is_pair = are_numbers(delay, 1, num_cards - 1) and len(delay) == 2
    if not is_pair or delay[0] > delay[1] or any(value != round(value) for value in delay):
        raise ValueError(
            "delay must be two whole numbers of steps, the first not above the second, from 1 to"
            f" {num_cards - 1} with {num_cards} cards, got {delay!r}."
        )
