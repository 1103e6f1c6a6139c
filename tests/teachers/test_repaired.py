"""REPAIRED: who gets which levels, and what each part learns from."""

import dataclasses
import functools

import jax
import numpy as np
import pytest
from building import CONFIG, CONTEXT, NUM, NUMBERS, of_both, same

from jaxcurriculum import teachers
from jaxcurriculum.teachers.repaired import BUILT, REPLAYED
from jaxcurriculum.testing.compiling import quick_jit

REPLAY = dataclasses.replace(
    teachers.RepairedConfig().replay, capacity=16, replay_prob=0.5, score="return_change"
)
TEACHER = teachers.repaired(NUMBERS, teachers.RepairedConfig(builder=CONFIG, replay=REPLAY))
PROPOSE = quick_jit(lambda key, state: TEACHER.propose(key, state, 2 * NUM))
UPDATE = quick_jit(lambda key, state, episodes: TEACHER.update(key, state, episodes, CONTEXT)[0])


def halves(proposals):
    return [jax.tree.map(lambda x, n=n: x[n * NUM : (n + 1) * NUM], proposals) for n in (0, 1)]


def played(proposals, seed):
    """Each student's episodes on its own half."""
    returns = jax.random.normal(jax.random.key(seed), (2, NUM))
    episodes = of_both(halves(proposals)[0], *returns)
    own = jax.tree.map(lambda x: x, proposals)
    return episodes.replace(tasks=own.tasks, seeds=own.seeds, origin=own.origin)


@functools.cache
def rounds(num=24):
    """(state before, proposals, episodes, state after) of the first rounds."""
    state, result = TEACHER.init(jax.random.key(0)), []
    for number, key in enumerate(jax.random.split(jax.random.key(1), num)):
        before, proposals = PROPOSE(key, state)
        episodes = played(proposals, number)
        state = UPDATE(key, before, episodes)
        result.append((before, proposals, episodes, state))
    return result


def seeds_in(replay):
    return set(np.asarray(replay.buffer.seeds)[: int(replay.buffer.num_filled)].tolist())


@pytest.mark.slow
def test_rounds_are_new_or_replays_and_each_teaches_its_own():
    """dcd updates the builder in rounds of replay, too."""
    kinds = []
    for before, proposals, _, after in rounds():
        (kind,) = set((proposals.origin % 2).tolist())
        first, second = halves(proposals)
        kinds.append(kind)
        learned = not same(before.builder.learner.params, after.builder.learner.params)
        assert learned == (kind == BUILT)
        if kind == BUILT:
            assert same(first, second) and not proposals.weight.any()
            continue
        assert proposals.weight.all()
        for half, replay in zip((first, second), before.replays):
            slots = half.origin // 2
            assert same(half.seeds, replay.buffer.seeds[slots])
            assert same(half.tasks, replay.buffer.tasks[slots])
    assert kinds[0] == BUILT and 5 < kinds.count(REPLAYED) < 19


@pytest.mark.slow
def test_each_buffer_holds_what_its_student_played():
    seen = [set(), set()]
    for _, proposals, _, after in rounds():
        for half, own, replay in zip(halves(proposals), seen, after.replays):
            own |= set(half.seeds.tolist())
            assert seeds_in(replay) <= own
    scores = [replay.buffer.scores for replay in after.replays]
    assert not same(*scores), "their returns differ"
