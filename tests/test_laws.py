"""The laws over the table of teachers: adding one adds a row."""

import dataclasses
import functools

import jax
import pytest

from jaxcurriculum import Box, envs, teachers
from jaxcurriculum.testing import laws
from jaxcurriculum.testing.trials import TeacherTrial

SPACE = Box(names=("x", "y", "constant"), low=(-1.0, 0.0, 2.0), high=(1.0, 6.0, 2.0))
SMALL_BUILDER = teachers.BuilderConfig(
    hidden=(4,), memory="none", num_epochs=1, minibatch_size=16, learning_rate=1e-4
)

TEACHERS = {
    "riac": lambda space: teachers.riac(
        space, teachers.RiacConfig(max_items=30, num_attempts=8, max_draws=16, max_regions=15)
    ),
    "random": teachers.random,
    "oracle": lambda space: teachers.oracle(
        space, teachers.OracleConfig(step=(0.1,) * space.dims, threshold=0.0)
    ),
    "alp-gmm": lambda space: teachers.alp_gmm(
        space, teachers.AlpGmmConfig(fit_every=50, max_components=4, history=500)
    ),
    "alp-gmm-tma": lambda space: teachers.alp_gmm(
        space,
        dataclasses.replace(
            teachers.AlpGmmConfig.teach_my_agent(), fit_every=50, max_components=4, history=500
        ),
    ),
    "alp-gmm, raw returns": lambda space: teachers.alp_gmm(
        space,
        teachers.AlpGmmConfig(
            fit_every=50, max_components=4, history=500, return_range=None, unit_cube=True
        ),
    ),
    "covar-gmm": lambda space: teachers.covar_gmm(
        space, teachers.CovarGmmConfig(fit_every=50, max_components=3)
    ),
    "adr": lambda space: teachers.adr(
        space, teachers.AdrConfig(judge_every=2, grow_at=0.0, shrink_at=-20.0)
    ),
    "adr-tma": lambda space: teachers.adr(
        space,
        dataclasses.replace(teachers.AdrConfig.teach_my_agent(), grow_at=0.0, shrink_at=-20.0),
    ),
    "tscl": lambda space: teachers.tscl(teachers.arms.cells(space, 3)),
    "tscl, naive": lambda space: teachers.tscl(
        teachers.arms.cells(space, 3), teachers.TsclConfig(algorithm="naive", window=5)
    ),
    "tscl, window": lambda space: teachers.tscl(
        teachers.arms.cells(space, 3),
        teachers.TsclConfig(algorithm="window", policy="boltzmann", temperature=1.0),
    ),
    "tscl, sampling": lambda space: teachers.tscl(
        teachers.arms.cells(space, 3), teachers.TsclConfig(algorithm="sampling")
    ),
    "exp3": lambda space: teachers.exp3(
        teachers.arms.cells(space, 3), teachers.Exp3Config(reservoir=50)
    ),
    "ucb-advantage": lambda space: teachers.ucb_advantage(
        teachers.arms.cells(space, 3), teachers.UcbAdvantageConfig(window=20, advantage_scale=50.0)
    ),
    "balanced-filtering": lambda space: teachers.balanced_filtering(teachers.arms.cells(space, 3)),
    "missing-skill": lambda space: teachers.missing_skill(teachers.arms.cells(space, 3)),
    "skill-it": lambda space: teachers.skill_it(
        teachers.arms.cells(space, 3), teachers.SkillItConfig(round_episodes=30)
    ),
    "plr": lambda space: teachers.plr(
        space, teachers.PlrConfig(capacity=64, prioritisation="power", temperature=1.0)
    ),
    "robust-plr": lambda space: teachers.plr(
        space,
        dataclasses.replace(
            teachers.PlrConfig.bipedal(), capacity=64, rounds="parallel", distinct=True
        ),
    ),
    "accel": lambda space: teachers.accel(
        space,
        teachers.AccelConfig(
            replay=teachers.PlrConfig(
                robust=True,
                capacity=64,
                score="return_change",
                initial_mean=(0.0, 1.0, 2.0)[: space.dims],
            )
        ),
    ),
    "learnability": lambda space: teachers.learnability(
        space,
        teachers.LearnabilityConfig(
            refresh_every=3, num_candidates=30, num_attempts=3, capacity=20
        ),
    ),
    "mbtl": lambda space: teachers.mbtl(
        space, teachers.MbtlConfig(cells=4, rounds_each=4, num_policies=3, num_episodes=2)
    ),
    "paired": lambda space: teachers.paired(
        teachers.box_editor(space),
        teachers.PairedConfig(
            objective="minimax", num_students=1, num_levels=32, builder=SMALL_BUILDER
        ),
    ),
    "clutr": lambda space: teachers.clutr(
        space,
        teachers.ClutrConfig(
            objective="minimax",
            num_students=1,
            num_levels=32,
            builder=dataclasses.replace(SMALL_BUILDER, box_policy="beta"),
        ),
    ),
    "repaired": lambda space: teachers.repaired(
        teachers.box_editor(space),
        teachers.RepairedConfig(
            builder=teachers.PairedConfig(
                objective="minimax", num_students=1, num_levels=32, builder=SMALL_BUILDER
            ),
            replay=teachers.PlrConfig(
                robust=True, capacity=64, replay_prob=0.3, score="return_change"
            ),
        ),
    ),
    "procurl": lambda space: teachers.procurl(
        space, teachers.ProcurlConfig(pool_size=20, num_attempts=3, probe_every=3)
    ),
    "procurl, value": lambda space: teachers.procurl(
        space, teachers.ProcurlConfig(pool_size=20, success="value")
    ),
    "currot": lambda space: teachers.currot(
        space,
        teachers.CurrotConfig(
            num_particles=20, num_candidates=10, num_directions=8, threshold=20.0
        ),
    ),
    "gradient": lambda space: teachers.gradient(
        space, teachers.GradientConfig(num_particles=20, max_stage_steps=2000)
    ),
    "self-paced": lambda space: teachers.self_paced(
        space, teachers.SelfPacedConfig(offset_steps=2000, update_every_steps=2000, alpha_offset=1)
    ),
    "goal-gan": lambda space: teachers.goal_gan(
        space,
        teachers.GoalGanConfig(
            update_every=20,
            num_iterations=5,
            pretrain_iterations=10,
            generator_hidden=(8,),
            discriminator_hidden=(8,),
            open_slots=40,
        ),
    ),
    "setter-solver": lambda space: teachers.setter_solver(
        space,
        teachers.SetterSolverConfig(
            update_every=30, setter_hidden=4, judge_hidden=(4,), num_blocks=1
        ),
    ),
    "mix": lambda space: teachers.mix(
        teachers.random(space), teachers.plr(space, teachers.PlrConfig(capacity=64)), 0.3
    ),
    "in-subspace": lambda space: (
        teachers.in_subspace(
            teachers.adr,
            space,
            {space.names[0]: (space.low[0], space.high[0] / 2), space.names[-1]: space.high[-1]},
        )
        if space.dims > 1
        else teachers.random(space)
    ),
    "in-latent-space": lambda space: teachers.in_latent_space(
        lambda box: teachers.plr(box, teachers.PlrConfig(capacity=64)),
        Box(names=space.names, low=(0.0,) * space.dims, high=(1.0,) * space.dims),
        lambda key, point: space.from_unit(point),
    ),
    "normalise-returns": lambda space: teachers.normalise_returns(
        teachers.adr(space, teachers.AdrConfig(judge_every=2, grow_at=0.5, shrink_at=0.1)),
        -100.0,
        100.0,
    ),
    "schedule": lambda space: teachers.schedule(
        [(teachers.random(space), 4000), (teachers.tscl(teachers.arms.cells(space, 3)), 3000)], True
    ),
    "frozen": lambda space: teachers.frozen(
        teachers.adr(space), teachers.adr(space).init(jax.random.key(0))
    ),
}
LEVEL_TEACHERS = {  # whose tasks may be anything
    "random": teachers.random,
    "robust-plr": lambda space: teachers.plr(
        space, dataclasses.replace(teachers.PlrConfig.dcd(), capacity=64)
    ),
    "accel": lambda space: teachers.accel(
        space,
        teachers.AccelConfig(replay=dataclasses.replace(teachers.PlrConfig.jaxued(), capacity=64)),
    ),
}


# The laws share the programs of a teacher: they run one after the other, and the next teacher
# takes the place.
@functools.lru_cache(maxsize=1)
def teacher_trial(name):
    return TeacherTrial(TEACHERS[name](SPACE), SPACE)


@functools.lru_cache(maxsize=1)
def level_teacher_trial(name):
    return TeacherTrial(LEVEL_TEACHERS[name](envs.Mazes()), envs.Mazes())


TEACHER_LAWS = pytest.mark.parametrize(
    "law",
    [
        laws.tasks_stay_in_the_space,
        laws.invalid_slots_change_nothing,
        laws.broken_returns_are_as_if_they_were_not_there,
        laws.is_traced_once,
        laws.vmapped_equals_a_loop,
        laws.a_checkpoint_of_a_teacher_changes_nothing,
    ],
    ids=lambda law: law.__name__,
)


SLOW_TEACHERS = ("paired", "clutr", "repaired")  # that learn by PPO themselves


@TEACHER_LAWS
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name in SLOW_TEACHERS else [])
        for name in TEACHERS
    ],
)
def test_teacher(name, law):
    law(teacher_trial(name))


@TEACHER_LAWS
@pytest.mark.parametrize("name", LEVEL_TEACHERS)
def test_teacher_of_mazes(name, law):
    law(level_teacher_trial(name))
