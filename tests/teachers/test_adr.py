"""Automatic domain randomisation: the published rule step by step, and what it is for."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import kstest

from jaxcurriculum import Box, teachers
from jaxcurriculum.records import Episodes
from jaxcurriculum.teachers import AdrConfig
from jaxcurriculum.testing import laws
from jaxcurriculum.testing.compiling import quick_jit
from references.adr_numpy import Adr

SPACE = Box(names=("height", "constant", "spacing"), low=(0.0, 2.0, 1.0), high=(3.0, 2.0, 7.0))
SQUARE = Box(names=("x", "y"), low=(0.0, 0.0), high=(1.0, 1.0))


def episodes_of(proposals, returns, valid=None):
    """A student's report of `proposals` with the given returns."""
    num = len(proposals.seeds)
    return Episodes(
        tasks=proposals.tasks,
        seeds=proposals.seeds,
        origin=proposals.origin,
        learner=np.zeros(num, np.int32),
        returns=returns,
        lengths=np.ones(num, np.int32),
        solved=np.zeros(num, bool),
        valid=np.ones(num, bool) if valid is None else valid,
    )


def propose(teacher, state, num):
    return quick_jit(lambda state: teacher.propose(jax.random.key(1), state, num)[1])(state)


def updater(teacher):
    return quick_jit(
        lambda state, episodes: teacher.update(jax.random.key(2), state, episodes, None)[0]
    )


def practise(teacher, student, rounds, state=None):
    """Rounds of one episode whose return is `student(key, tasks, round)`: final state, keys,
    proposals, returns, boxes.
    """

    def one_round(state, inputs):
        key, round = inputs
        key_propose, key_student = jax.random.split(key)
        state, proposals = teacher.propose(key_propose, state, 1)
        returns = student(key_student, proposals.tasks, round)
        state, _ = teacher.update(key, state, episodes_of(proposals, returns), None)
        return state, (key_propose, proposals, returns, teacher.report(state))

    start = teacher.init(jax.random.key(1)) if state is None else state
    inputs = (jax.random.split(jax.random.key(2), rounds), jnp.arange(rounds))
    return jax.jit(lambda start: jax.lax.scan(one_round, start, inputs))(start)


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


def test_the_box_grows_to_what_the_student_can_do_and_not_beyond_and_shrinks_when_it_forgets():
    config = AdrConfig(
        initial_mean=(0.0, 0.0), judge_every=10, grow_at=0.8, shrink_at=0.3, step_size=0.05
    )
    teacher = teachers.adr(SQUARE, config)

    def student(reach):
        return lambda key, tasks, round: jnp.all(tasks <= jnp.array([reach]), axis=1).astype(
            jnp.float32
        )

    state, (_, _, _, report) = practise(teacher, student((0.62, 2.0)), 6000)
    assert np.all(np.asarray(report["high"])[:, 0] <= 0.65 + 1e-5), (
        "a step beyond what it can do, where it fails, at most"
    )
    assert 0.55 <= report["high"][-1, 0] <= 0.66 and report["high"][-1, 1] == 1
    np.testing.assert_array_equal(report["low"][-1], [0, 0])
    state, (_, _, _, report) = practise(teacher, student((0.22, 0.52)), 6000, state=state)
    np.testing.assert_allclose(report["high"][-1], [0.22, 0.52], atol=0.1)
    assert float(report["volume"][-1]) == pytest.approx(
        float(jnp.prod(report["high"][-1])), rel=1e-5
    )


def test_a_box_that_only_grows_keeps_what_it_has():
    config = AdrConfig(
        initial_mean=(0.5, 0.5), judge_every=10, grow_at=0.8, shrink_at=None, step_size=0.1
    )

    def able_for_a_while(key, tasks, round):
        return jnp.full((1,), jnp.where(round < 300, 1.0, 0.0))

    _, (_, _, _, report) = practise(teachers.adr(SQUARE, config), able_for_a_while, 600)
    assert np.all(np.diff(report["volume"]) >= 0) and report["volume"][-1] > 0


def with_faces(teacher, faces):
    state = teacher.init(jax.random.key(0))
    return state.replace(faces=jnp.array(faces, jnp.float32))


def test_tasks_are_uniform_in_the_box_and_on_its_faces_and_say_which():
    teacher = teachers.adr(SPACE, AdrConfig(face_share=0.6, initial_mean=(0.0, 2.0, 1.0)))
    state = with_faces(teacher, [[0.2, 0.0, 0.0], [0.7, 0.0, 0.5]])
    state = state.replace(num_moves=jnp.array([[0, 0, 3], [2, 0, 0]], jnp.int32))
    proposals = propose(teacher, state, 20_000)
    tasks, origin = np.asarray(proposals.tasks), np.asarray(proposals.origin)
    report = teacher.report(state)
    low, high = np.asarray(report["low"]), np.asarray(report["high"])
    np.testing.assert_allclose([low, high], [[0.6, 2, 1], [2.1, 2, 4]], rtol=1e-6)
    assert np.all(tasks[:, 1] == 2) and not np.any(origin[origin >= 0] % 3 == 1), (
        "an axis without width has no faces"
    )
    np.testing.assert_allclose(np.mean(origin == -1), 0.4, atol=0.01)
    assert set(np.unique(origin)) == {-1, 0, 2 + 6 * 3, 3 + 6 * 2, 5}, "face + 6 times its moves"
    for side, bound in enumerate((low, high)):
        for axis in (0, 2):
            on = (origin >= 0) & (origin % 6 == axis + 3 * side)
            np.testing.assert_allclose(np.mean(on), 0.15, atol=0.01)
            assert np.all(tasks[on, axis] == bound[axis])
            other = 2 - axis
            assert (
                kstest(
                    (tasks[on, other] - low[other]) / (high[other] - low[other]), "uniform"
                ).pvalue
                > 0.001
            )
    inside = origin == -1
    for axis in (0, 2):
        assert (
            kstest((tasks[inside, axis] - low[axis]) / (high[axis] - low[axis]), "uniform").pvalue
            > 0.001
        )


def test_the_whole_space_without_faces_is_the_random_teacher():
    space = Box(names=("size", "x"), low=(0.1, -1.0), high=(10.0, 1.0), log=(True, False))
    teacher = teachers.adr(space, AdrConfig(face_share=0.0))
    proposals = propose(teacher, with_faces(teacher, [[0.0, 0.0], [1.0, 1.0]]), 5000)
    unit = quick_jit(jax.vmap(space.to_unit))(proposals.tasks)
    for axis in range(2):
        assert kstest(np.asarray(unit[:, axis]), "uniform").pvalue > 0.01


def test_a_space_of_one_task_has_no_faces():
    space = Box(names=("constant",), low=(2.0,), high=(2.0,))
    teacher = teachers.adr(space)
    proposals = propose(teacher, teacher.init(jax.random.key(0)), 100)
    assert np.all(proposals.tasks == 2) and np.all(proposals.origin == -1)


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
    ("config", "message"),
    [
        (AdrConfig(initial_mean=(0.0, 0.0)), "initial_mean must have one entry an axis"),
        (
            AdrConfig(initial_mean=(0.0, 2.0, 0.0)),
            "initial_mean must lie in the task space: axis 'spacing'",
        ),
        (AdrConfig(step_size=(0.1, 0.1)), "step_size must be one number or one an axis: 3 axes"),
    ],
)
def test_what_does_not_fit_the_space_is_named(config, message):
    with pytest.raises(ValueError, match=message):
        teachers.adr(SPACE, config)


def test_a_step_in_units_needs_linear_axes():
    space = Box(names=("size",), low=(0.1,), high=(10.0,), log=(True,))
    with pytest.raises(
        ValueError, match="step_in_units must be False on a space with a logarithmic axis"
    ):
        teachers.adr(space, AdrConfig.teach_my_agent())
