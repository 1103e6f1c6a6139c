"""TeachMyAgent's three levels of expert knowledge, and which teacher is told what."""

import dataclasses

import jax
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
NEED_MORE = [teachers.AdrConfig.teach_my_agent(), teachers.GoalGanConfig(), teachers.SetterSolverConfig()]
NEED_NOTHING = [teachers.RiacConfig.teach_my_agent(), *list(MAKE)[:3], teachers.PlrConfig(), teachers.TsclConfig()]
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


@pytest.mark.parametrize("config", [c for c in MAKE if not isinstance(c, teachers.GoalGanConfig)], ids=name)
def test_with_high_knowledge_teachers_begin_at_easy_tasks(config):
    """Half as far from (0, 6) as uniform tasks are at most: sd 0.1 of the range, of which the lower half is clipped at a corner."""
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
    assert informed(teachers.AdrConfig(shrink_at=None), "low", knowledge).shrink_at is None, "the rule that never shrinks stays"
    assert informed(teachers.AccelConfig(), "high", knowledge).replay.initial_mean == (1.0,)
    known = dataclasses.replace(teachers.AlpGmmConfig(), initial_mean=(2.0,))
    assert informed(known, "none", knowledge).initial_mean is None, "none is none"


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (lambda: informed(teachers.RiacConfig(), "some"), "informed.level must be one of .*'some'"),
        (lambda: informed(teachers.RiacConfig(), "high", Knowledge(easy_mean=None)), "Knowledge.easy_mean"),
        (lambda: Knowledge(failure=1.0, success=0.0), "Knowledge.failure must lie below success, got 1.0 and 0.0"),
        (lambda: Knowledge(easy_std=-1.0), "Knowledge.easy_std"),
    ],
)
def test_bad_input_is_named(bad, words):
    with pytest.raises(ValueError, match=words):
        bad()
