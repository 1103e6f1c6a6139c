"""The laws over the tables of teachers and students: adding one adds a row."""

import dataclasses
import functools

import jax
import pytest

from jaxcurriculum import Box, LoopConfig, challenges, envs, make_loop, teachers
from jaxcurriculum.rollout import ReplayConfig, RolloutConfig
from jaxcurriculum.students import PpoConfig, SacConfig, population, ppo, sac, simulated, succession
from jaxcurriculum.testing import laws, probes
from jaxcurriculum.testing.trials import TeacherTrial

SPACE = Box(names=("x", "y", "constant"), low=(-1.0, 0.0, 2.0), high=(1.0, 6.0, 2.0))
SMALL_PPO = (
    PpoConfig(hidden=(8,), minibatch_size=64),
    RolloutConfig(num_envs=8, num_steps=16, pool_size=64),
)
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
        space, teachers.PlrConfig(capacity=40, prioritisation="power", temperature=1.0)
    ),
    "robust-plr": lambda space: teachers.plr(
        space,
        dataclasses.replace(
            teachers.PlrConfig.bipedal(), capacity=40, rounds="parallel", distinct=True
        ),
    ),
    "accel": lambda space: teachers.accel(
        space,
        teachers.AccelConfig(
            replay=teachers.PlrConfig(
                robust=True,
                capacity=40,
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
                robust=True, capacity=40, replay_prob=0.3, score="return_change"
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
        teachers.random(space), teachers.plr(space, teachers.PlrConfig(capacity=40)), 0.3
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
        lambda box: teachers.plr(box, teachers.PlrConfig(capacity=40)),
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
        space, dataclasses.replace(teachers.PlrConfig.dcd(), capacity=40)
    ),
    "accel": lambda space: teachers.accel(
        space,
        teachers.AccelConfig(replay=dataclasses.replace(teachers.PlrConfig.jaxued(), capacity=40)),
    ),
}
STUDENTS = {
    "toy-grid": lambda: simulated.toy_grid(simulated.ToyGridConfig(cells=4, episodes_per_round=32)),
    "toy-grid, all variants": lambda: simulated.toy_grid(
        simulated.ToyGridConfig(
            cells=4,
            start_cell="random",
            unlearnable=0.2,
            decay=0.01,
            irrelevant_dims=1,
            episodes_per_round=8,
        )
    ),
    "abilities": lambda: simulated.abilities(
        simulated.AbilitiesConfig(num_abilities=2, episodes_per_round=8)
    ),
    "skill-graph": lambda: simulated.skill_graph(
        simulated.SkillGraphConfig(num_skills=4, episodes_per_round=8)
    ),
    "skill-graph, challenged": lambda: challenges.noisy(
        challenges.forgetting(
            challenges.rugged(simulated.skill_graph()), challenges.ForgettingConfig(every=3)
        )
    ),
    "ppo": lambda: ppo(probes.counting(), *SMALL_PPO),
    "ppo with a memory": lambda: ppo(
        envs.maze(),
        PpoConfig(hidden=(4,), minibatch_size=64, memory="gru", memory_size=8),
        SMALL_PPO[1],
    ),
    "sac": lambda: sac(
        probes.counting(),
        SacConfig(hidden=(8,)),
        SMALL_PPO[1],
        ReplayConfig(capacity=512, batch_size=16, num_updates=2, random_steps=200),
    ),
    "population": lambda: population(ppo(probes.target(), *SMALL_PPO), 2),
    "succession": lambda: succession(
        simulated.toy_grid(simulated.ToyGridConfig(cells=4, episodes_per_round=8)), 2, 4
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


@pytest.mark.parametrize("teacher", TEACHERS)
def test_every_teacher_fits_a_student(teacher):
    """`make_loop` traces a round of both and compares what goes in with what comes out."""
    needs_critic = TEACHERS[teacher](SPACE).needs_critic
    loop_of(teacher, "ppo" if needs_critic else "toy-grid")


# That all of a teacher's state goes through a checkpoint is one of its laws; these stand for what a
# loop adds: every student, and teachers without state, with the most state, and with probes.
@pytest.mark.parametrize(
    ("teacher", "student"),
    [
        *(("random", student) for student in STUDENTS),
        ("riac", "toy-grid"),
        ("learnability", "toy-grid"),
        ("learnability", "ppo"),
    ],
)
def test_checkpoint_of_pairs(teacher, student):
    laws.a_checkpoint_in_the_middle_changes_nothing(loop_of(teacher, student))


def loop_of(teacher, student):
    learner = STUDENTS[student]()
    keys = jax.random.split(jax.random.key(0), 2)
    tasks = jax.vmap(learner.task_space.sample)(keys)
    return make_loop(
        TEACHERS[teacher](learner.task_space), learner, tasks, LoopConfig(rounds_per_evaluation=8)
    )


@pytest.mark.parametrize("name", STUDENTS)
def test_student(name):
    laws.evaluating_teaches_nothing_and_keeps_the_order(STUDENTS[name]())
