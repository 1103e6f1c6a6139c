"""Automatic domain randomisation: the published rule step by step, and which episodes count."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from adr_runs import SPACE, SQUARE, episodes_of, practise, propose

from jaxcurriculum import Box, teachers
from jaxcurriculum.teachers import AdrConfig
from jaxcurriculum.testing import laws
from jaxcurriculum.testing.compiling import quick_jit
from references.adr_numpy import Adr


def updater(teacher):
    return quick_jit(
        lambda state, episodes: teacher.update(jax.random.key(2), state, episodes, None)[0]
    )


def skilled_and_forgetful(key, tasks, round):
    """Returns about 200 up to a distance from (1, 2, 3) that comes and goes, about -60 beyond."""
    reach = 0.3 + 0.3 * jnp.sin(2 * jnp.pi * round / 900)
    distance = jnp.max(
        jnp.abs(tasks - jnp.array([[1.0, 2.0, 3.0]])) / jnp.array([[3.0, 1.0, 6.0]]), axis=1
    )
    return jnp.where(distance < reach, 200.0, -60.0) + 30 * jax.random.normal(key, distance.shape)


@pytest.mark.parametrize(
    "config",
    [
        AdrConfig(judge_every=4, initial_mean=(1.0, 2.0, 3.0), step_size=0.05),
        AdrConfig(
            judge_every=4,
            initial_mean=(1.0, 2.0, 3.0),
            step_size=(0.1, 0.1, 0.3),
            step_in_units=True,
            shrink_at=None,
        ),
        AdrConfig(
            judge_every=3,
            face_share=0.9,
            initial_mean=(1.0, 2.0, 3.0),
            step_size=(0.2, 0.1, 0.1),
            test_full_axes=False,
        ),
        AdrConfig.teach_my_agent(),
    ],
    ids=["fractions", "grows only", "full axes are left alone", "teach-my-agent"],
)
def test_two_thousand_updates_are_those_of_the_plain_loop(config):
    teacher = teachers.adr(SPACE, config)
    _, (keys, proposals, returns, report) = practise(teacher, skilled_and_forgetful, 2000)
    width = np.array(SPACE.high) - np.array(SPACE.low)
    plain = Adr(
        SPACE.low,
        SPACE.high,
        start=teacher.report(teacher.init(jax.random.key(1)))["low"],
        face_share=config.face_share,
        judge_every=config.judge_every,
        grow_at=config.grow_at,
        shrink_at=config.shrink_at,
        step=np.asarray(config.step_size) * (1 if config.step_in_units else width),
        point_is_face=config.point_is_face,
        test_full_axes=config.test_full_axes,
    )

    def random_numbers(key):
        key_inside, key_tests, key_face, _ = jax.random.split(key, 4)
        return (
            jax.random.uniform(key_inside, (1, 3)),
            jax.random.uniform(key_tests, (1,)),
            jax.random.randint(key_face, (1,), 0, 4),
        )

    inside, chance, choice = (
        np.asarray(x)[:, 0] for x in quick_jit(jax.vmap(random_numbers))(keys)
    )
    num_moves = 0
    for n in range(2000):
        task = plain.sample(inside[n], chance[n], choice[n])
        np.testing.assert_allclose(proposals.tasks[n, 0], task, atol=2e-5, err_msg=f"episode {n}")
        face = int(proposals.origin[n, 0])
        assert plain.drawn == (None if face < 0 else ((face % 6) // 3, face % 3))
        before = plain.faces.copy()
        plain.update(float(returns[n, 0]))
        num_moves += int(np.sum(plain.faces != before))
    np.testing.assert_allclose([report["low"][-1], report["high"][-1]], plain.faces, atol=2e-5)
    assert num_moves > 20, "a test in which nothing happens"


def test_a_batch_is_like_its_episodes_without_those_on_a_face_that_has_moved_since():
    teacher = teachers.adr(
        SQUARE,
        AdrConfig(
            judge_every=10, grow_at=0.5, shrink_at=-1.0, step_size=0.125, initial_mean=(0.5, 0.5)
        ),
    )
    state, update = teacher.init(jax.random.key(0)), updater(teacher)
    episodes = episodes_of(
        jax.tree.map(np.asarray, propose(teacher, state, 400)), np.ones(400, np.float32)
    )
    together = update(state, episodes)
    np.testing.assert_array_equal(
        together.faces, [[0.375, 0.375], [0.625, 0.625]]
    )  # one step, though 50 episodes stood on each
    np.testing.assert_array_equal(together.num_unjudged, 0)
    one_by_one = state
    for n in range(400):
        one_by_one = update(one_by_one, jax.tree.map(lambda x, n=n: x[n : n + 1], episodes))
    laws.assert_equal(together, one_by_one)
    laws.assert_equal(update(together, episodes), together)


def test_while_an_axis_is_a_point_every_episode_may_count_for_both_its_faces():
    config = AdrConfig(
        judge_every=10,
        grow_at=0.5,
        shrink_at=0.0,
        step_size=0.125,
        initial_mean=(0.5, 0.5),
        point_is_face=True,
    )
    teacher = teachers.adr(SQUARE, config)
    state = teacher.init(jax.random.key(0))
    state = updater(teacher)(
        state, episodes_of(propose(teacher, state, 10), np.ones(10, np.float32))
    )
    np.testing.assert_array_equal(state.faces, [[0.375, 0.375], [0.625, 0.625]])


def test_returns_that_are_not_finite_count_as_absent():
    teacher = teachers.adr(
        SQUARE,
        AdrConfig(
            judge_every=2, grow_at=0.5, shrink_at=0.0, initial_mean=(0.5, 0.5), face_share=1.0
        ),
    )
    state, update = teacher.init(jax.random.key(0)), updater(teacher)
    proposals = propose(teacher, state, 64)
    bad = np.tile(np.array([np.nan, np.inf, -np.inf, 7.0], np.float32), 16)
    finite = np.isfinite(bad)
    absent = episodes_of(proposals, np.where(finite, bad, np.float32(0)), valid=finite)
    laws.assert_equal(update(state, episodes_of(proposals, bad)), update(state, absent))
    laws.assert_equal(update(state, episodes_of(proposals, np.full(64, np.nan, np.float32))), state)


def test_thresholds_and_steps_can_be_swept():
    def volume(grow_at, step_size):
        config = AdrConfig(
            judge_every=5,
            grow_at=grow_at,
            shrink_at=-5.0,
            step_size=step_size,
            initial_mean=(0.5, 0.5),
        )
        able = lambda key, tasks, round: jnp.ones((1,))  # noqa: E731
        return practise(teachers.adr(SQUARE, config), able, 200)[1][3]["volume"][-1]

    volumes = jax.jit(jax.vmap(volume))(jnp.array([2.0, 0.5, 0.5]), jnp.array([0.1, 0.05, 0.1]))
    assert volumes[0] == 0 < volumes[1] < volumes[2]


def test_presets_are_the_published_ones():
    paper, benchmark = AdrConfig.paper(), AdrConfig.teach_my_agent()
    assert (paper.face_share, paper.judge_every, paper.step_size, paper.step_in_units) == (
        0.5,
        240,
        0.02,
        False,
    )
    assert (
        benchmark.face_share,
        benchmark.judge_every,
        benchmark.step_size,
        benchmark.step_in_units,
    ) == (0.7, 10, 0.1, True)
    assert (
        (benchmark.shrink_at, benchmark.grow_at) == (0.0, 180.0)
        and benchmark.point_is_face
        and not benchmark.test_full_axes
    )


@pytest.mark.parametrize(
    "bad",
    [
        {"face_share": 1.1},
        {"judge_every": 0},
        {"shrink_at": float("nan")},
        {"grow_at": 0.0, "shrink_at": 1.0},
        {"grow_at": 1.0, "shrink_at": 1.0},
        {"step_size": 0.0},
        {"step_size": (0.1, -0.1)},
        {"step_size": "abc"},
    ],
)
def test_bad_configurations_are_named(bad):
    with pytest.raises(ValueError, match=f"AdrConfig.*{next(reversed(bad))}"):
        AdrConfig(**bad)


@pytest.mark.parametrize(
    ("space", "config", "message"),
    [
        (
            SPACE,
            AdrConfig(initial_mean=(0.0, 0.0)),
            "initial_mean must have one entry an axis",
        ),
        (
            SPACE,
            AdrConfig(initial_mean=(0.0, 2.0, 0.0)),
            "initial_mean must lie in the task space: axis 'spacing'",
        ),
        (
            SPACE,
            AdrConfig(step_size=(0.1, 0.1)),
            "step_size must be one number or one an axis: 3 axes",
        ),
        (
            Box(names=("size",), low=(0.1,), high=(10.0,), log=(True,)),
            AdrConfig.teach_my_agent(),
            "step_in_units must be False on a space with a logarithmic axis",
        ),
    ],
)
def test_what_does_not_fit_the_space_is_named(space, config, message):
    with pytest.raises(ValueError, match=message):
        teachers.adr(space, config)
