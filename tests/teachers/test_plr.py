"""PLR and robust PLR: when they replay, what they score, and that they find what scores high."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from levels import SQUARE, Pair, episodes_of, practise

from jaxcurriculum import Box, Context
from jaxcurriculum.teachers import AccelConfig, PlrConfig, accel, plr
from jaxcurriculum.teachers.parts import level_buffer
from jaxcurriculum.testing.compiling import quick_jit

NAN = float("nan")
KEY = jax.random.key(0)
# of a world where 10 is the highest return on (1, 1)
TEN = Context(jnp.int32(0), jnp.int32(0), lambda *_: None, lambda task: 9.0 + task[0])


def with_levels(teacher, num, scores=()):
    """The teacher's state after one episode on each of `num` levels (20 at most), at (seed /
    10, 0).
    """
    seeds = np.arange(1, 21)
    scores = np.concatenate([scores, np.ones(20 - len(scores))])
    tasks = np.stack([seeds / 10, 0 * seeds], axis=1)
    episodes = episodes_of(tasks, seeds, valid=seeds <= num, positive_value_loss=scores)
    return quick_jit(teacher.update)(
        jax.random.key(0), teacher.init(jax.random.key(0)), episodes, None
    )[0]


def propose(teacher, state, num):
    return quick_jit(teacher.propose, static_argnums=2)(jax.random.key(1), state, num)[1]


def planted(key, proposals):
    """The score of a level is high near (7, 2)."""
    distance = jnp.sum((proposals.tasks - jnp.array([[7.0, 2.0]])) ** 2, axis=1)
    return episodes_of(
        proposals.tasks,
        proposals.seeds,
        proposals.origin,
        positive_value_loss=jnp.exp(-distance / 4),
    )


def test_presets_are_the_published_ones():
    numbers = lambda config: (
        config.capacity,
        config.prioritisation,
        config.temperature,
        config.staleness,
    )
    assert numbers(PlrConfig.bipedal()) == (1000, "rank", 0.1, 0.5)
    assert numbers(PlrConfig.dcd()) == (4000, "rank", 0.3, 0.3)
    assert numbers(PlrConfig.car_racing()) == (8000, "power", 1.0, 0.7)
    for config in (PlrConfig.bipedal(), PlrConfig.dcd(), PlrConfig.car_racing()):
        assert (
            config.robust
            and config.schedule == "proportionate"
            and (config.replay_prob, config.least_filled, config.score)
            == (0.5, 0.5, "positive_value_loss")
        )
        assert plr(SQUARE, config).name == "robust-plr"
    for config, prob in ((PlrConfig.jaxued(), 0.8), (PlrConfig.minimax(), 0.5)):
        assert numbers(config) == (4000, "rank", 0.3, 0.3) and config.robust
        assert (config.replay_prob, config.schedule, config.score) == (prob, "fixed", "max_mc")
        assert config.rounds == "alternating" and not config.distinct and config.seeds_from_tasks
    assert (
        PlrConfig() == dataclasses.replace(PlrConfig.bipedal(), robust=False)
        and plr(SQUARE).name == "plr"
    )


def test_an_easy_task_must_be_one_of_the_space():
    with pytest.raises(
        ValueError, match="PlrConfig.initial_mean must lie in the task space: axis 'y' is 11"
    ):
        plr(SQUARE, PlrConfig(initial_mean=(0.0, 11.0)))
    with pytest.raises(
        ValueError, match="PlrConfig.initial_mean must be None where the task space is not a Box"
    ):
        plr(Pair(), PlrConfig(initial_mean=(0.0, 0.0)))


@pytest.mark.parametrize("make, kinds", [(plr, 2), (accel, 3)])
def test_parallel_rounds_have_room_for_each_kind(make, kinds):
    replay = PlrConfig(robust=True, rounds="parallel")
    teacher = make(SQUARE, replay if make is plr else AccelConfig(replay=replay))
    with pytest.raises(
        ValueError, match=f"needs at least {kinds} proposals a round, got {kinds - 1}"
    ):
        jax.eval_shape(lambda key: teacher.propose(key, teacher.init(key), kinds - 1), KEY)


@pytest.mark.parametrize("robust", [False, True])
def test_it_replays_levels_once_enough_are_known(robust):
    teacher = plr(SQUARE, PlrConfig(capacity=20, replay_prob=0.3, least_filled=0.4, robust=robust))
    for num, share in ((1, 0.0), (7, 0.0), (8, 0.3), (20, 0.3)):
        proposals = propose(teacher, with_levels(teacher, num), 4000)
        replayed = np.asarray(proposals.origin) >= 0
        np.testing.assert_allclose(replayed.mean(), share, atol=0.03)
        np.testing.assert_array_equal(
            proposals.seeds[replayed], proposals.origin[replayed] + 1
        )  # seed and task of the slot
        np.testing.assert_allclose(
            proposals.tasks[replayed][:, 0], (proposals.origin[replayed] + 1) / 10, rtol=1e-6
        )
        assert (
            np.all(proposals.origin[~replayed] == -1)
            and len(np.unique(proposals.seeds[~replayed])) == (~replayed).sum()
        )
        np.testing.assert_array_equal(proposals.weight, replayed if robust else np.ones(4000))


def test_a_proportionate_schedule_replays_no_more_than_is_filled():
    teacher = plr(
        SQUARE, PlrConfig(capacity=20, replay_prob=0.8, least_filled=0.1, schedule="proportionate")
    )
    for num, share in ((1, 0.0), (5, 0.25), (20, 0.8)):
        proposals = propose(teacher, with_levels(teacher, num), 4000)
        np.testing.assert_allclose(np.mean(proposals.origin >= 0), share, atol=0.03)


def test_replays_follow_the_probabilities_of_the_buffer():
    teacher = plr(
        SQUARE,
        PlrConfig(
            capacity=4,
            replay_prob=1.0,
            prioritisation="power",
            temperature=1.0,
            staleness=0.0,
            distinct=False,
        ),
    )
    proposals = propose(teacher, with_levels(teacher, 4, [1.0, 2.0, 3.0, 4.0]), 20_000)
    np.testing.assert_allclose(
        np.bincount(proposals.origin) / 20_000, [0.1, 0.2, 0.3, 0.4], atol=0.015
    )


@pytest.mark.parametrize(
    "score, first, second",
    [
        ("positive_value_loss", 0.3, 0.1),
        ("l1_value_loss", 0.5, 0.4),
        ("signed_gae", 0.1, -0.2),
        ("max_mc", 6.0 - 2.0, 6.0 - 1.0),
        ("return_change", 0.0, 2.0),
        ("learnability", 0.75 * 0.25, 0.375 * 0.625),
        ("true_regret", 10.0 - 6.0, 10.0 - 4.0),
    ],
)
def test_scores(score, first, second):
    """A level that returns 6, solved, then 4, not solved."""
    visits = {
        "returns": [6.0, 4.0],
        "solved": [True, False],
        "mean_value": [2.0, 1.0],
        "positive_value_loss": [0.3, 0.1],
        "l1_value_loss": [0.5, 0.4],
        "signed_gae": [0.1, -0.2],
    }
    teacher, state = plr(SQUARE, PlrConfig(capacity=3, score=score)), None
    for visit, expected in enumerate((first, second)):
        episodes = episodes_of(
            [[1.0, 1.0]],
            [5],
            **{name: values[visit : visit + 1] for name, values in visits.items()},
        )
        state = teacher.init(jax.random.key(0)) if state is None else state
        update = quick_jit(lambda state, episodes: teacher.update(None, state, episodes, TEN))
        state, probe_steps = update(state, episodes)
        np.testing.assert_allclose(state.buffer.scores[0], expected, rtol=1e-6)
        assert int(state.buffer.num_filled) == 1 and int(probe_steps) == 0


def test_episodes_without_a_score_leave_the_buffer_and_are_counted():
    nan = jnp.full(8, jnp.nan).at[:3].set(1.0)
    levels = jnp.arange(16.0).reshape(8, 2) / 2, jnp.arange(8)
    teacher = plr(SQUARE, PlrConfig(capacity=8))
    episodes = episodes_of(*levels, positive_value_loss=nan)
    update = quick_jit(teacher.update)
    state, _ = update(jax.random.key(3), teacher.init(jax.random.key(0)), episodes, None)
    report = teacher.report(state)
    assert (int(report.num_filled), int(report.num_visits), int(report.num_unscored)) == (3, 3, 5)


@pytest.mark.parametrize(
    "config", [PlrConfig(capacity=100), PlrConfig.car_racing()], ids=["rank", "power"]
)
def test_it_finds_a_planted_field_of_scores(config):
    config = dataclasses.replace(config, capacity=100, staleness=0.2)
    _, proposals = practise(plr(SQUARE, config), planted, 8, 300, jax.random.key(0))
    late = jax.tree.map(lambda leaf: np.asarray(leaf)[200:].reshape(-1, *leaf.shape[2:]), proposals)
    near = np.linalg.norm(late.tasks - np.array([7, 2]), axis=1) < 3
    replayed = late.origin >= 0
    assert near[replayed].mean() > 0.8 and near[~replayed].mean() < 0.35  # a disc of 9 pi in 100


def test_new_levels_lie_about_the_easy_task():
    teacher = plr(SQUARE, PlrConfig(initial_mean=(2.0, 8.0), initial_std=0.05))
    tasks = np.asarray(propose(teacher, teacher.init(jax.random.key(0)), 4000).tasks)
    np.testing.assert_allclose(tasks.mean(0), [2, 8], atol=0.05)
    np.testing.assert_allclose(tasks.std(0), [0.5, 0.5], atol=0.03)


def test_a_constant_axis_stays_constant():
    space = Box(names=("x", "constant"), low=(0.0, 3.0), high=(1.0, 3.0))
    teacher = plr(space, PlrConfig(capacity=8, least_filled=0.0))
    student = lambda key, proposals: episodes_of(
        proposals.tasks, proposals.seeds, positive_value_loss=proposals.tasks[:, 0]
    )
    state, proposals = practise(teacher, student, 4, 10, jax.random.key(0))
    assert np.all(proposals.tasks[..., 1] == 3) and np.all(np.isfinite(state.buffer.replay_probs))


def test_probabilities_can_be_swept():
    def share(replay_prob, temperature):
        teacher = plr(
            SQUARE,
            PlrConfig(capacity=2, replay_prob=replay_prob, temperature=temperature, staleness=0.0),
        )
        episodes = episodes_of([[1.0, 1.0], [2.0, 2.0]], [1, 2], positive_value_loss=[1.0, 2.0])
        state, _ = teacher.update(
            jax.random.key(0), teacher.init(jax.random.key(0)), episodes, None
        )
        return state.buffer.replay_probs[1], jnp.mean(
            teacher.propose(jax.random.key(1), state, 5000)[1].origin >= 0
        )

    probs, shares = quick_jit(jax.vmap(share))(jnp.array([0.0, 0.4]), jnp.array([1.0, 0.5]))
    np.testing.assert_allclose(probs, [2 / 3, 4 / 5], rtol=1e-6)
    np.testing.assert_allclose(shares, [0, 0.4], atol=0.03)


def test_the_report_shows_the_buffer():
    teacher = plr(SQUARE, PlrConfig(capacity=5))
    state = with_levels(teacher, 3, [1.0, NAN, 2.0])
    report = teacher.report(state)
    assert isinstance(state.buffer, level_buffer.LevelBuffer)
    np.testing.assert_array_equal(report.scores, [1, 2, -np.inf, -np.inf, -np.inf])
    np.testing.assert_allclose(report.tasks[:2, 0], [0.1, 0.3], rtol=1e-6)
    assert (int(report.num_filled), int(report.num_visits), int(report.num_unscored)) == (2, 2, 1)
