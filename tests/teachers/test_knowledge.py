"""TeachMyAgent's three levels of expert knowledge, and which teacher is told what."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import envs, teachers
from jaxcurriculum.teachers import Knowledge, informed

MAKE = {
    teachers.AlpGmmConfig.teach_my_agent(): teachers.alp_gmm,
    teachers.CovarGmmConfig.teach_my_agent(): teachers.covar_gmm,
    teachers.SelfPacedConfig.teach_my_agent(): teachers.self_paced,
    teachers.AdrConfig.teach_my_agent(): teachers.adr,
    teachers.GoalGanConfig(pretrain_iterations=50, open_slots=200): teachers.goal_gan,
}
NEED_MORE = [
    teachers.AdrConfig.teach_my_agent(),
    teachers.GoalGanConfig(),
    teachers.SetterSolverConfig(),
]
NEED_NOTHING = [
    teachers.RiacConfig.teach_my_agent(),
    *list(MAKE)[:3],
    teachers.PlrConfig(),
    teachers.TsclConfig(),
]
name = lambda config: type(config).__name__  # noqa: E731


@pytest.mark.parametrize("config", NEED_MORE, ids=name)
def test_some_need_to_know_a_success(config):
    with pytest.raises(ValueError, match=f"{type(config).__name__} needs .* low or high, got none"):
        informed(config, "none")
    assert informed(config, "low") == dataclasses.replace(config)


@pytest.mark.parametrize("config", NEED_NOTHING, ids=name)
@pytest.mark.parametrize("level", ["none", "low"])
def test_the_others_are_told_nothing_by_it(config, level):
    assert informed(config, level) == config


@pytest.mark.parametrize(
    "config", [c for c in MAKE if not isinstance(c, teachers.GoalGanConfig)], ids=name
)
def test_with_high_knowledge_teachers_begin_at_easy_tasks(config):
    """Half as far from (0, 6) as uniform tasks are at most: sd 0.1 of the range, of which the
    lower half is clipped at a corner.
    """
    space = envs.stump_tracks().task_space
    teacher = MAKE[config](space, informed(config, "high"))
    tasks = teacher.propose(jax.random.key(1), teacher.init(jax.random.key(0)), 200)[1].tasks
    far = np.mean(np.abs(np.asarray(tasks) - [0.0, 6.0]) / [3.0, 6.0])
    assert far < 0.06, "uniform tasks would give 0.5"


def test_thresholds_are_those_of_the_expert():
    knowledge = Knowledge(failure=-10.0, success=100.0, easy_mean=(1.0,))
    config = informed(teachers.AdrConfig.teach_my_agent(), "low", knowledge)
    assert (config.shrink_at, config.grow_at, config.initial_mean) == (-10.0, 100.0, None)
    assert informed(config, "high", knowledge).initial_mean == (1.0,)
    assert informed(teachers.AdrConfig(shrink_at=None), "low", knowledge).shrink_at is None, (
        "the rule that never shrinks stays"
    )
    assert informed(teachers.AccelConfig(), "high", knowledge).replay.initial_mean == (1.0,)


@pytest.mark.parametrize("level", ["none", "low"])
@pytest.mark.parametrize(
    "make", [teachers.AlpGmmConfig, teachers.SelfPacedConfig, teachers.PlrConfig]
)
def test_below_high_nobody_knows_an_easy_task_and_the_rest_stays(make, level):
    """Whoever wrote one down before; the spread is the teacher's own again, and so is the
    target that a user set.
    """
    own = {"target_mean": (1.0,)} if make is teachers.SelfPacedConfig else {}
    config = make(initial_mean=(2.0,), initial_std=0.3, **own)
    assert informed(config, level, Knowledge(easy_std=0.0)) == make(initial_std=0.3, **own)


def test_a_spread_of_zero_is_told_at_high_alone():
    assert informed(teachers.AlpGmmConfig(), "high", Knowledge(easy_std=0.0)).initial_std == 0.0
    with pytest.raises(ValueError, match="SelfPacedConfig.initial_std"):
        informed(teachers.SelfPacedConfig(), "high", Knowledge(easy_std=0.0))


@pytest.mark.parametrize("array", [np.array([1.0, 2.0], np.float32), jnp.array([1, 2]), [1, 2]])
def test_easy_tasks_may_be_arrays(array):
    mean = Knowledge(easy_mean=array).easy_mean
    assert mean == (1.0, 2.0) and all(type(x) is float for x in mean)
    assert informed(teachers.AdrConfig(), "high", Knowledge(easy_mean=array)).initial_mean == (
        1.0,
        2.0,
    )


def test_thresholds_can_be_mapped_over():
    faces = lambda success: (
        informed(teachers.AdrConfig(), "low", Knowledge(success=success)).grow_at
    )
    np.testing.assert_array_equal(jax.vmap(faces)(jnp.array([100.0, 200.0])), [100.0, 200.0])


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (
            lambda: informed(teachers.RiacConfig(), "some"),
            "level must be one of none, low, high, got 'some'",
        ),
        (
            lambda: informed(teachers.RiacConfig(), "high", Knowledge(easy_mean=None)),
            "Knowledge.easy_mean",
        ),
        (
            lambda: Knowledge(failure=1.0, success=0.0),
            "Knowledge.failure must lie below success, got 1.0 and 0.0",
        ),
        (lambda: Knowledge(easy_std=-1.0), "Knowledge.easy_std"),
        (
            lambda: Knowledge(easy_mean="ab"),
            "Knowledge.easy_mean must be None or finite numbers, .*'ab'",
        ),
        (lambda: Knowledge(easy_mean=0.5), "Knowledge.easy_mean .*0.5"),
        (lambda: Knowledge(easy_mean=(float("nan"), 0.0)), "Knowledge.easy_mean .*nan"),
        (
            lambda: Knowledge(easy_mean=()),
            "Knowledge.easy_mean .*one an axis of the task space, got ()",
        ),
        (lambda: Knowledge(easy_mean=np.zeros((2, 2))), "Knowledge.easy_mean"),
        (
            lambda: jax.vmap(lambda mean: Knowledge(easy_mean=mean).easy_std)(jnp.zeros((2, 2))),
            "Knowledge.easy_mean .*Tracer",
        ),
    ],
)
def test_bad_input_is_named(bad, words):
    with pytest.raises(ValueError, match=words):
        bad()


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (
            lambda: informed(teachers.AlpGmmConfig(), "low", {"success": 1}),
            "informed.knowledge must be of the type Knowledge, got {'success': 1}",
        ),
        (lambda: informed(3, "high"), "config must be a teacher's configuration, .*got int"),
        (lambda: informed(teachers.AdrConfig, "none"), "got the class AdrConfig"),
    ],
)
def test_what_is_no_configuration_or_knowledge_is_named(bad, words):
    with pytest.raises(TypeError, match=words):
        bad()
