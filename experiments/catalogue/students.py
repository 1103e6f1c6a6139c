"""Students by name."""

from __future__ import annotations

from jaxcurriculum import students
from jaxcurriculum.experiments.catalogue.parts import StudentPart
from jaxcurriculum.students import simulated

STUDENTS = {
    "ppo": StudentPart(
        description="proximal policy optimisation on an environment",
        config=students.PpoConfig(),
        make=students.ppo,
        debug=(
            "student.rollout.num_envs=2",
            "student.rollout.num_steps=4",
            "student.rollout.pool_size=2",
            "student.minibatch_size=8",
            "student.num_epochs=1",
        ),
        needs_environment=True,
        steps=3_000_000,
        evaluate_every=200_000,
    ),
    "toy-grid": StudentPart(
        description="a simulated learner: a grid of skills, each of which unlocks the next",
        config=simulated.ToyGridConfig(),
        make=lambda _, config: simulated.toy_grid(config),
        needs_environment=False,
        steps=20_000,
        evaluate_every=1_000,
        # Its returns lie in [0, 1] and change by 0.01 a visit, its tasks in the unit square, and it has no critic.
        adapt={
            "return_range": None,
            "threshold": 0.75,
            "step": (0.05, 0.05),
            "grow_at": 0.75,
            "shrink_at": 0.2,
            "score": "return_change",
            "replay.score": "return_change",
            "bandit.advantage_scale": 0.01,
            "offset_steps": 2000,
            "update_every_steps": 500,
        },
        test_sets={"cells": lambda config, _: simulated.toy_grid_test_tasks(config)},
    ),
}
