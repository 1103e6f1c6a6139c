"""ACCEL: its shares, its edits, its parents, and that small edits reach far."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from levels import SQUARE, Pair, episodes_of, practise

from jaxcurriculum import Box
from jaxcurriculum.envs import Mazes
from jaxcurriculum.teachers import AccelConfig, PlrConfig, accel, plr
from jaxcurriculum.testing import laws
from jaxcurriculum.testing.compiling import quick_jit
from jaxcurriculum.testing.trials import run_teacher

EASY = PlrConfig(
    robust=True,
    capacity=50,
    replay_prob=0.8,
    least_filled=0.2,
    initial_mean=(0.5, 0.5),
    initial_std=0.03,
)
THREE = Box(
    names=("x", "y", "constant"),
    low=(0.0, 0.1, 2.0),
    high=(10.0, 10.0, 2.0),
    log=(False, True, False),
)


def filled_state(teacher, space, returns, scores):
    """A state in which as many levels as there are returns are known, and each has been
    replayed once, in order.
    """
    num = len(returns)
    tasks = jax.vmap(space.sample)(jax.random.split(jax.random.key(5), num))
    first = episodes_of(tasks, range(1, num + 1), positive_value_loss=np.ones(num))
    again = episodes_of(
        tasks, range(1, num + 1), range(num), returns=returns, positive_value_loss=scores
    )
    state, update = teacher.init(jax.random.key(0)), quick_jit(teacher.update)
    for episodes in (first, again):
        state, _ = update(jax.random.key(0), state, episodes, None)
    return state, tasks


def propose(teacher, state, num):
    return quick_jit(teacher.propose, static_argnums=2)(jax.random.key(1), state, num)[1]


def edited_from(proposals, tasks):
    """The edited proposals, and of each the parent: without any edit they are the same."""
    edited = np.asarray(proposals.tasks)[np.asarray(proposals.origin) == -2]
    return [int(np.argmin(np.abs(np.asarray(tasks) - task).sum(1))) for task in edited]


def test_presets_are_the_published_ones():
    bipedal, dcd = AccelConfig.bipedal(), AccelConfig.dcd()
    assert bipedal == AccelConfig() and bipedal.replay == dataclasses.replace(
        PlrConfig.bipedal(), replay_prob=0.9
    )
    assert bipedal.replay.schedule == "proportionate"
    assert (bipedal.num_edits, bipedal.num_candidates, bipedal.num_parents) == (3, 16, 4)
    assert dcd.replay == dataclasses.replace(PlrConfig.dcd(), replay_prob=0.8)
    assert (dcd.num_candidates, dcd.num_parents, dcd.parents) == (32, 4, "hardest")
    for batch in (AccelConfig.jaxued(), AccelConfig.minimax()):
        assert (batch.num_candidates, batch.num_parents) == (32, 32)
        assert batch.replay.replay_prob == 0.8 and batch.replay.rounds == "alternating"
    assert AccelConfig.jaxued().replay.staleness == 0.3
    assert AccelConfig.minimax().replay.staleness == 0.5
    assert AccelConfig.minimax().num_edits * Mazes.minimax().num_edits == 20
    assert AccelConfig.jaxued().num_edits * Mazes.jaxued().num_edits == 5


@pytest.mark.parametrize(
    "bad",
    [
        {"replay": PlrConfig()},
        {"replay": None},
        {"num_edits": 0},
        {"edit_size": 1.5},
        {"edits_per_replay": -1.0},
        {"edits_per_replay": 2.0, "replay": PlrConfig(robust=True, rounds="parallel")},
        {"num_candidates": 0},
        {"num_parents": 17},
        {"parents": "best"},
    ],
    ids=str,
)
def test_bad_configurations_are_named(bad):
    with pytest.raises(ValueError, match=f"AccelConfig.{next(iter(bad))}"):
        AccelConfig(**bad)
    with pytest.raises(ValueError, match="PlrConfig.initial_mean"):
        accel(SQUARE, AccelConfig(replay=PlrConfig(robust=True, initial_mean=(1.0,))))


def test_shares_weights_and_seeds():
    teacher = accel(
        SQUARE, AccelConfig(replay=dataclasses.replace(EASY, capacity=8), edits_per_replay=0.5)
    )
    proposals = propose(teacher, teacher.init(jax.random.key(0)), 500)
    assert np.all(proposals.origin == -1) and np.all(proposals.weight == 0)
    state, _ = filled_state(teacher, SQUARE, np.zeros(8), np.ones(8))
    proposals = propose(teacher, state, 20_000)
    kinds = [
        np.mean(proposals.origin == -1),
        np.mean(proposals.origin >= 0),
        np.mean(proposals.origin == -2),
    ]
    np.testing.assert_allclose(kinds, np.array([0.2, 0.8, 0.4]) / 1.4, atol=0.015)
    np.testing.assert_array_equal(proposals.weight, proposals.origin >= 0)
    own = np.asarray(proposals.seeds)[np.asarray(proposals.origin) < 0]
    assert len(np.unique(own)) == len(own) and set(
        np.asarray(proposals.seeds)[proposals.origin >= 0]
    ) <= set(range(1, 9))


def test_edits_are_small_few_and_inside():
    config = AccelConfig(
        replay=PlrConfig(robust=True, capacity=1, replay_prob=1.0), num_edits=2, edit_size=0.06
    )
    teacher = accel(THREE, config)
    state, tasks = filled_state(teacher, THREE, [0.0], [1.0])
    proposals = propose(teacher, state, 10_000)
    children = proposals.tasks[proposals.origin == -2]
    shift = np.asarray(jax.vmap(THREE.to_unit)(children) - THREE.to_unit(tasks[0])[None])
    assert np.all(np.abs(shift) <= 2 * 0.06 + 1e-5) and np.all(children[:, 2] == 2)
    moved = np.abs(shift) > 1e-5
    untouched = np.mean(
        ~moved.any(1)
    )  # two edits, each of which is none by its direction or by the constant axis
    np.testing.assert_allclose(untouched, (1 - 2 / 3 * 2 / 3) ** 2, atol=0.02)
    np.testing.assert_allclose(moved[:, :2].mean(), 1 - (1 - 2 / 9) ** 2, atol=0.02)
    np.testing.assert_allclose(shift.mean(0), 0, atol=0.003)
    single = np.abs(shift[:, 0][moved[:, 0] & (np.abs(shift[:, 0]) <= 0.06)])
    assert 0.02 < single.mean() < 0.04


@pytest.mark.parametrize("parents, best", [("easiest", [2, 5, 0]), ("hardest", [1, 4, 3])])
def test_parents_are_the_easiest_of_the_levels_replayed_last(parents, best):
    """Return minus score: 6, -3, 9, 1, -1, 8."""
    replay = PlrConfig(robust=True, capacity=6, replay_prob=1.0)
    teacher = accel(
        SQUARE,
        AccelConfig(replay=replay, num_candidates=6, num_parents=3, edit_size=0.0, parents=parents),
    )
    state, tasks = filled_state(
        teacher, SQUARE, [7.0, 0.0, 9.5, 3.0, 1.0, 9.0], [1.0, 3.0, 0.5, 2.0, 2.0, 1.0]
    )
    chosen = edited_from(propose(teacher, state, 6000), tasks)
    np.testing.assert_allclose(
        np.bincount(chosen, minlength=6)[best] / len(chosen), 1 / 3, atol=0.04
    )


def test_only_the_latest_replays_are_candidates_and_neither_new_nor_lost_levels():
    replay = PlrConfig(robust=True, capacity=6, replay_prob=1.0)
    teacher = accel(
        SQUARE, AccelConfig(replay=replay, num_candidates=2, num_parents=2, edit_size=0.0)
    )
    state, tasks = filled_state(teacher, SQUARE, np.arange(6.0), np.ones(6))
    strange = episodes_of(
        tasks[:3],
        [1, 2, 77],
        [-1, -2, 2],
        returns=[99.0, 99.0, 99.0],
        positive_value_loss=[1.0, 1.0, 0.0],
    )
    state, _ = quick_jit(teacher.update)(jax.random.key(0), state, strange, None)
    chosen = edited_from(propose(teacher, state, 1000), tasks)
    assert set(chosen) == {4, 5} and int(state.candidates.num) == 6


def test_it_climbs_from_easy_levels_to_a_far_region():
    """Scores rise towards (9, 9) and new levels lie about (0.5, 0.5): edits get there, replay
    alone does not.
    """

    def student(key, proposals):
        ease = -0.1 * jnp.linalg.norm(proposals.tasks - jnp.array([[9.0, 9.0]]), axis=1)
        return episodes_of(
            proposals.tasks, proposals.seeds, proposals.origin, positive_value_loss=jnp.exp(ease)
        )

    nearest = {}
    # the return is constant, so these are the ones of highest score
    hardest_first = AccelConfig(replay=EASY, parents="hardest")
    all_parents = AccelConfig(replay=EASY, num_parents=16)
    for teacher in (accel(SQUARE, hardest_first), accel(SQUARE, all_parents), plr(SQUARE, EASY)):
        _, proposals = practise(teacher, student, 16, 300, jax.random.key(0))
        distance = np.linalg.norm(np.asarray(proposals.tasks)[-50:] - np.array([9, 9]), axis=-1)
        nearest.setdefault(teacher.name, []).append(
            np.median(distance[np.asarray(proposals.origin)[-50:] >= 0])
        )
    assert nearest["accel"][0] < 1 and nearest["accel"][1] < 5 and nearest["robust-plr"][0] > 10, (
        nearest
    )


def test_tasks_may_be_trees():
    """Edited by the space's own mutation; equal leaves, mapped over several runs."""
    teacher = accel(
        Pair(),
        AccelConfig(replay=PlrConfig(robust=True, capacity=6, least_filled=0.0), num_edits=2),
    )
    run = lambda key: run_teacher(teacher, Pair(), key, 8, 8)
    keys = jax.random.split(jax.random.key(0), 3)
    together = quick_jit(jax.vmap(run))(keys)
    laws.assert_close(jax.tree.map(lambda leaf: leaf[1], together), quick_jit(run)(keys[1]), 1e-5)
    assert bool(jnp.any(together[1].origin == -2))
    assert bool(jnp.all(jax.vmap(jax.vmap(jax.vmap(Pair().contains)))(together[1].tasks)))
