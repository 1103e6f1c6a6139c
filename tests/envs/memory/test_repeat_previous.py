"""Repeat Previous: every answer is worth what it should be."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import envs
from jaxcurriculum.testing.compiling import quick_jit


def answered(env, delay, choose):
    """Suits, rewards and what was seen of a game whose answers are `choose(suits, delay)`."""
    level = env.generate(jax.random.key(3), jnp.array([delay]))
    state, start = env.reset(jax.random.key(0), level)

    def step(state, answer):
        return env.step(jax.random.key(0), level, state, answer)

    answers = choose(np.asarray(level.suits), int(level.delay))
    _, later = quick_jit(lambda x: jax.lax.scan(step, state, x))(jnp.asarray(answers))
    seen = np.concatenate([start.obs["suit"][None], later.obs["suit"]])
    return np.asarray(level.suits), later, seen


def remembered(suits, delay):
    return np.concatenate([np.full(delay, 3), suits[:-delay]])


@pytest.mark.parametrize("delay, num_decks", [(4, 1), (32, 2), (64, 3)])
def test_who_remembers_gets_1_and_who_errs_the_opposite(delay, num_decks):
    env = envs.repeat_previous((1, 64 if num_decks == 3 else 51), num_decks)
    suits, later, seen = answered(env, delay, remembered)
    n = 52 * num_decks
    np.testing.assert_allclose(later.reward, [0] * delay + [1 / (n - delay)] * (n - delay))
    assert later.terminated.tolist() == [False] * (n - 1) + [True]
    np.testing.assert_array_equal(seen[:-1], np.eye(4)[suits])
    assert np.bincount(suits).tolist() == [n // 4] * 4 and not seen[-1].any()
    wrong = answered(env, delay, lambda *given: (remembered(*given) + 1) % 4)[1]
    assert float(wrong.reward.sum()) == pytest.approx(-1, abs=1e-5)


def published(suits, answers, k):
    """The rewards of POPGym 1.0.7, in whose hand lies the card that is shown, too."""
    asked = np.arange(len(suits) - 1) + 1 - k
    worth = np.where(answers[:-1] == suits[asked], 1, -1) / (len(suits) - k)
    return np.where(asked >= 0, worth, 0)


def test_the_published_game_asks_one_step_less_back_and_not_at_the_last_card():
    k, n = 4, 52
    env, answers = envs.repeat_previous((1, 51)), np.random.default_rng(0).integers(0, 4, n)
    suits, same_cards, _ = answered(env, k - 1, lambda *_: answers)
    theirs = published(suits, answers, k)
    np.testing.assert_allclose(same_cards.reward[:-1] * (n - k + 1), theirs * (n - k), atol=1e-5)
    assert np.count_nonzero(answered(env, k, lambda *_: answers)[1].reward) == n - k
    assert np.count_nonzero(theirs) == n - k and len(theirs) == n - 1


def test_the_delay_is_the_nearest_whole_number_and_is_seen():
    env = envs.repeat_previous((1, 5))
    for task, delay in ((1.0, 1), (2.4, 2), (2.6, 3), (5.0, 5)):
        level = env.generate(jax.random.key(0), jnp.array([task]))
        shown = env.reset(jax.random.key(0), level)[1].obs["delay"]
        assert int(level.delay) == delay and float(shown[0]) == (delay - 1) / 4


@pytest.mark.parametrize(
    "delay, num_decks, message",
    [
        ((4, 2), 1, "first not above the second"),
        ((0, 4), 1, "from 1 to 51"),
        ((4, 52), 1, "from 1 to 51 with 52 cards"),
        ((1.5, 4), 1, "two whole numbers of steps"),
        ((4,), 1, "two whole numbers"),
        (4, 1, "two whole numbers"),
        ((4, 4), 0, "num_decks must be an integer from 1"),
    ],
)
def test_what_is_no_game_is_refused(delay, num_decks, message):
    with pytest.raises(ValueError, match=message):
        envs.repeat_previous(delay, num_decks)
