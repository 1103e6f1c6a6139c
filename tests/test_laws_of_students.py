"""The laws over the table of students, and of pairs with a teacher: adding a student adds a row."""

import jax
import pytest
from test_laws import SPACE, TEACHERS

from jaxcurriculum import LoopConfig, challenges, envs, make_loop
from jaxcurriculum.rollout import ReplayConfig, RolloutConfig
from jaxcurriculum.students import PpoConfig, SacConfig, population, ppo, sac, simulated, succession
from jaxcurriculum.testing import laws, probes

SMALL_PPO = (
    PpoConfig(hidden=(8,), minibatch_size=64),
    RolloutConfig(num_envs=8, num_steps=16, pool_size=64),
)
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
