"""CURROT's buffer against plain lists, from the first failures to a full buffer of successes."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.teachers.parts import success_buffer
from jaxcurriculum.testing.compiling import quick_jit
from references import currot_numpy

SIZE, NUM, THRESHOLD = 12, 5, 0.5


def test_members_are_those_of_plain_lists():
    rng = np.random.default_rng(0)
    ours, theirs = success_buffer.empty(SIZE, 2), currot_numpy.Buffer(SIZE, THRESHOLD)
    insert = quick_jit(success_buffer.insert)
    phases = set()
    for turn in range(40):
        tasks = rng.uniform(size=(NUM, 2)).astype(np.float32)
        performances = rng.uniform(0, 0.3 + turn / 40, NUM).astype(np.float32)
        targets = rng.uniform(size=(SIZE, 2)).astype(np.float32)
        batch = list(zip(tasks, performances))
        failing = any(row[1] < THRESHOLD for row in theirs.members)
        phases.add((theirs.reached, failing, len(theirs.members) == SIZE))
        entered = theirs.insert(batch, targets)
        ours, is_member = insert(ours, tasks, performances, targets, jnp.float32(THRESHOLD))
        assert is_member.tolist() == entered
        assert bool(ours.reached) == theirs.reached
        held = sorted((float(p), *t.tolist()) for t, p in theirs.members)
        num = int(success_buffer.num_members(ours))
        tasks, performances = np.asarray(ours.tasks)[:num], np.asarray(ours.performances)[:num]
        assert sorted((float(p), *t.tolist()) for t, p in zip(tasks, performances)) == held
    # Which phase it is, whether there are failures, and whether it is full.
    assert {(False, True, False), (True, True, False), (True, False, True)} <= phases


@quick_jit
def draw(key, buffer, threshold):
    return success_buffer.noisy_members(key, buffer, threshold, 0.0)


def filled(performances, reached):
    num = len(performances)
    buffer = success_buffer.empty(SIZE, 2)
    places = jnp.linspace(0.1, 0.9, num)
    return buffer.replace(
        tasks=buffer.tasks.at[:num].set(jnp.stack([places, places], axis=1)),
        performances=buffer.performances.at[:num].set(jnp.array(performances)),
        reached=jnp.bool_(reached),
        lowest=jnp.float32(0.0),
    )


def test_a_successful_member_comes_once_and_fills_empty_slots():
    buffer = filled([0.9, 0.8, 0.7], reached=True)
    tasks = draw(jax.random.key(0), buffer, THRESHOLD)
    np.testing.assert_array_equal(tasks[:3], buffer.tasks[:3])
    assert set(tasks[:, 0].tolist()) == set(buffer.tasks[:3, 0].tolist())


def test_before_that_the_better_half_is_drawn_from_and_noise_grows_with_failure():
    buffer = filled([0.4, 0.3, 0.1, 0.0], reached=False)
    tasks = [draw(key, buffer, 0.4) for key in jax.random.split(jax.random.key(0), 400)]
    tasks = np.concatenate(tasks)
    assert np.all((tasks >= 0) & (tasks <= 1))
    is_best = np.all(tasks == np.asarray(buffer.tasks[0]), axis=1)  # at the threshold: no noise
    # In proportion to 0.4 - 0.1 and 0.3 - 0.1.
    np.testing.assert_allclose(is_best.mean(), 0.6, atol=0.03)
    np.testing.assert_allclose(tasks[~is_best, 0].std(), 0.25 * (0.4 - 0.3) / 0.4, rtol=0.05)
