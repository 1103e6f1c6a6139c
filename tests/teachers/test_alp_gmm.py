"""ALP-GMM: its schedule, its draws, its switches."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import kstest

from jaxcurriculum import Box, teachers
from jaxcurriculum.students import simulated
from jaxcurriculum.teachers import AlpGmmConfig
from jaxcurriculum.teachers.parts import gmm
from jaxcurriculum.testing.compiling import quick_jit

SPACE = Box(names=("height", "spacing"), low=(0.0, 1.0), high=(3.0, 7.0))


def practise(teacher, student, rounds, seed=0):
    """Final states and what every round proposed."""

    def one_round(states, key):
        keys = jax.random.split(key, 3)
        teacher_state, proposals = teacher.propose(keys[0], states[0], student.num_proposals)
        student_state, episodes = student.train(keys[1], states[1], proposals, jnp.int32(0))
        teacher_state, _ = teacher.update(keys[2], teacher_state, episodes, None)
        return (teacher_state, student_state), (
            proposals.tasks,
            proposals.origin,
            getattr(teacher_state, "num_fits", 0),
        )

    key_teacher, key_student, key_rounds = jax.random.split(jax.random.key(seed), 3)
    start = (teacher.init(key_teacher), student.init(key_student))
    return jax.jit(lambda keys: jax.lax.scan(one_round, start, keys))(
        jax.random.split(key_rounds, rounds)
    )


def with_mixture(teacher, means, scales=None):
    """A state that has been fitted once, with the Gaussians given by their means over (task,
    ALP).
    """
    state, means = teacher.init(jax.random.key(0)), np.asarray(means, np.float32)
    mixture = jax.tree.map(np.array, state.mixture)
    mixture.means[: len(means)] = means
    mixture.scales[: len(means)] = 1e-3 * np.eye(3) if scales is None else scales
    mixture.valid[: len(means)] = True
    return state.replace(mixture=jax.tree.map(jnp.array, mixture), num_fits=jnp.int32(1))


def test_presets_are_the_published_ones():
    paper, benchmark = AlpGmmConfig.paper(), AlpGmmConfig.teach_my_agent()
    assert (paper.fit_every, paper.min_components, paper.max_components, paper.exploration) == (
        250,
        2,
        10,
        0.2,
    )
    assert paper.return_range == (-150.0, 350.0) and not paper.unit_cube and paper == AlpGmmConfig()
    assert (
        benchmark.fit_every,
        benchmark.min_components,
        benchmark.max_components,
        benchmark.exploration,
    ) == (150, 2, 9, 0.05)
    assert benchmark.return_range is None


@pytest.mark.parametrize(
    "bad",
    [
        {"fit_every": 1},
        {"min_components": 0},
        {"min_components": 5, "max_components": 4},
        {"max_components": 300},
        {"exploration": 1.5},
        {"exploration": np.float32(-0.1)},
        {"return_range": (1.0, 1.0)},
        {"return_range": 1.0},
        {"initial_std": -0.1},
        {"history": 100},
    ],
)
def test_bad_configurations_are_named(bad):
    with pytest.raises(ValueError, match=f"AlpGmmConfig.*{next(reversed(bad))}"):
        AlpGmmConfig(**bad)


def test_uniform_until_the_first_fit_then_a_fit_every_so_many_episodes():
    student = simulated.toy_grid()
    teacher = teachers.alp_gmm(
        student.task_space,
        AlpGmmConfig(return_range=None, fit_every=50, max_components=4, history=400),
    )
    _, (tasks, origin, num_fits) = practise(teacher, student, 420)
    np.testing.assert_array_equal(num_fits, np.arange(1, 421) // 50)
    assert np.all(origin[:50] == -1) and np.all((tasks >= 0) & (tasks <= 1))
    assert 0.1 < np.mean(origin[50:, 0] == -1) < 0.3 and np.max(origin) < 4


def test_a_large_batch_is_followed_by_one_fit():
    student = simulated.toy_grid(simulated.ToyGridConfig(episodes_per_round=130))
    teacher = teachers.alp_gmm(
        student.task_space,
        AlpGmmConfig(return_range=None, fit_every=50, max_components=3, history=400),
    )
    (state, _), (_, _, num_fits) = practise(teacher, student, 3)
    np.testing.assert_array_equal(num_fits, [1, 2, 3])
    assert int(state.num_unfitted) == 0


def test_full_exploration_is_the_random_teacher():
    teacher = teachers.alp_gmm(SPACE, AlpGmmConfig(exploration=1.0))
    _, proposals = teacher.propose(jax.random.key(1), with_mixture(teacher, [[1, 2, 0.5]]), 5000)
    assert np.all(proposals.origin == -1)
    for axis in range(2):
        unit = (np.asarray(proposals.tasks[:, axis]) - SPACE.low[axis]) / (
            SPACE.high[axis] - SPACE.low[axis]
        )
        assert kstest(unit, "uniform").pvalue > 0.01


def test_gaussians_are_chosen_in_proportion_to_their_progress_and_clipped():
    teacher = teachers.alp_gmm(SPACE, AlpGmmConfig(exploration=0.0))
    state = with_mixture(teacher, [[1, 2, 0.1], [2, 9, 0.3], [1, 3, 0.0]])
    _, proposals = teacher.propose(jax.random.key(1), state, 20_000)
    np.testing.assert_allclose(
        np.bincount(proposals.origin, minlength=3) / 20_000, [0.25, 0.75, 0], atol=0.01
    )
    np.testing.assert_allclose(proposals.tasks[proposals.origin == 0].mean(0), [1, 2], atol=1e-3)
    assert np.all(proposals.tasks[proposals.origin == 1][:, 1] == 7)  # beyond the face, so on it


def test_without_any_progress_every_gaussian_is_equally_likely():
    teacher = teachers.alp_gmm(SPACE, AlpGmmConfig(exploration=0.0))
    _, proposals = teacher.propose(
        jax.random.key(1), with_mixture(teacher, [[1, 2, 0.0], [2, 5, -1e-9]]), 10_000
    )
    np.testing.assert_allclose(np.bincount(proposals.origin) / 10_000, [0.5, 0.5], atol=0.02)


def test_exploration_can_be_swept():
    def share(exploration):
        teacher = teachers.alp_gmm(SPACE, AlpGmmConfig(exploration=exploration))
        return jnp.mean(
            teacher.propose(jax.random.key(1), with_mixture(teacher, [[1, 2, 0.1]]), 10_000)[
                1
            ].origin
            == -1
        )

    np.testing.assert_allclose(jax.vmap(share)(jnp.array([0.0, 0.3, 1.0])), [0, 0.3, 1], atol=0.02)


@pytest.mark.parametrize("unit_cube", [False, True])
def test_until_the_first_fit_tasks_are_drawn_about_an_easy_one(unit_cube):
    config = AlpGmmConfig(
        initial_mean=(1.5, 7.0), initial_std=0.1, exploration=1.0, unit_cube=unit_cube
    )
    teacher = teachers.alp_gmm(SPACE, config)
    draw = quick_jit(lambda state: teacher.propose(jax.random.key(1), state, 4000)[1])
    early = draw(teacher.init(jax.random.key(0)))
    assert np.all(early.origin == -1)
    np.testing.assert_allclose(np.mean(early.tasks[:, 0]), 1.5, atol=0.02)
    np.testing.assert_allclose(np.std(early.tasks[:, 0]), 0.3, rtol=0.05)  # 0.1 of the range of 3
    np.testing.assert_allclose(
        np.mean(early.tasks[:, 1] == 7), 0.5, atol=0.03
    )  # half of them beyond the face
    late = draw(with_mixture(teacher, [[1, 2, 0.5]]))
    assert kstest((np.asarray(late.tasks[:, 1]) - 1) / 6, "uniform").pvalue > 0.01, (
        "after a fit to explore is to draw uniformly"
    )


def test_an_easy_task_beyond_the_space_is_named():
    with pytest.raises(
        ValueError,
        match="AlpGmmConfig.initial_mean must lie in the task space: axis 'spacing' is 0.0",
    ):
        teachers.alp_gmm(SPACE, AlpGmmConfig(initial_mean=(0.0, 0.0)))


@pytest.mark.parametrize("mean", [0.5, "ab", ("a", "b"), (float("nan"), 2.0)])
def test_an_easy_task_is_a_tuple_of_numbers(mean):
    with pytest.raises(
        ValueError, match="AlpGmmConfig.initial_mean must be a tuple of finite numbers"
    ):
        teachers.alp_gmm(SPACE, AlpGmmConfig(initial_mean=mean))


@pytest.mark.parametrize("unit_cube", [False, True])
def test_units_inside_and_in_the_report(unit_cube):
    teacher = teachers.alp_gmm(
        SPACE, AlpGmmConfig(unit_cube=unit_cube, return_range=(0.0, 200.0), exploration=0.0)
    )
    student = simulated.toy_grid()
    _, proposals = teacher.propose(jax.random.key(1), teacher.init(jax.random.key(0)), 4)
    key = jax.random.key(0)
    blank = student.train(key, student.init(key), proposals, jnp.int32(0))[1]
    episodes = blank.replace(
        tasks=jnp.tile(jnp.array([[1.5, 2.5]]), (4, 1)),
        returns=jnp.array([-5.0, 50.0, 200.0, 999.0]),
    )
    update = quick_jit(lambda state: teacher.update(jax.random.key(1), state, episodes, None)[0])
    state = update(teacher.init(jax.random.key(0)))
    np.testing.assert_allclose(
        state.history.values[:2, 0], [0.5, 0.25] if unit_cube else [1.5, 2.5]
    )
    np.testing.assert_allclose(state.history.values[2, :4], [0, 0.25, 1, 1])
    own = with_mixture(teacher, [[0.5, 0.25, 0.1] if unit_cube else [1.5, 2.5, 0.1]])
    report = teacher.report(own)
    np.testing.assert_allclose(report.means[0], [1.5, 2.5, 0.1], rtol=1e-6)
    np.testing.assert_allclose(
        jnp.diagonal(report.covariances[0]),
        1e-6 * np.array([9, 36, 1] if unit_cube else [1, 1, 1]),
        rtol=1e-5,
    )
    np.testing.assert_allclose(
        teacher.propose(jax.random.key(1), own, 9)[1].tasks.mean(0), [1.5, 2.5], atol=0.02
    )


def test_it_follows_the_frontier_of_the_toy_grid():
    """What counts on this student: more of the grid mastered than with uniform tasks, by far,
    after as many episodes.
    """
    student = simulated.toy_grid(simulated.ToyGridConfig(episodes_per_round=50))
    config = AlpGmmConfig(return_range=None)
    score = {}
    for teacher in (
        teachers.alp_gmm(student.task_space, config),
        teachers.random(student.task_space),
    ):
        (_, learner), _ = practise(teacher, student, 240)
        score[teacher.name] = float(student.report(learner)["score"])
    assert score["alp-gmm"] > score["random"] + 8, score


def test_preference_ignores_unused_components():
    teacher = teachers.alp_gmm(SPACE)
    state = with_mixture(teacher, [[1, 2, 0.0]])
    assert isinstance(state.mixture, gmm.Mixture)
    _, proposals = teacher.propose(jax.random.key(1), state, 1000)
    assert set(np.unique(proposals.origin)) == {-1, 0}


def test_the_period_may_be_an_array_and_the_window_longer_than_it():
    student = simulated.toy_grid()

    @quick_jit
    @jax.vmap
    def num_fits(fit_every):
        config = AlpGmmConfig(fit_every=fit_every, window=12, max_components=2, history=30)
        return practise(teachers.alp_gmm(student.task_space, config), student, 40)[1][2]

    number = np.arange(1, 41)
    by_five = np.where(number < 12, 0, 1 + (number - 12) // 5)  # once the window is full
    np.testing.assert_array_equal(num_fits(jnp.array([12, 5])), [number // 12, by_five])
    with pytest.raises(ValueError, match="AlpGmmConfig.window must be given where fit_every is an"):
        AlpGmmConfig(fit_every=jnp.int32(50))
