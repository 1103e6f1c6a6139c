"""What teachers of a box do in the latent space of mazes, beside random mazes as they are.

    python experiments/latent_study.py [--teachers clutr ...] [--seeds 3] [--steps 400000]
                                       [--folder latent_study]

Mazes of 9 by 9 cells with up to 30 walls; an autoencoder of cells is trained once, for all teachers
and seeds. Tests are 100 solvable mazes with 36 walls, the score the share of them that is solved.
The steps of both of CLUTR's students count. Writes latent_study.json and latent_study.png. A
teacher that stands in the file is not run again.
"""

from __future__ import annotations

import argparse
import functools
import pathlib
from collections.abc import Callable
from typing import Any

import jax
import matplotlib
import numpy as np
from matplotlib import ticker
from matplotlib.figure import Figure
from side_by_side import add_row

import jaxcurriculum.envs as envs
from jaxcurriculum import Box, Loop, LoopConfig, Teacher, make_loop, students, teachers
from jaxcurriculum.envs.maze.latent import (
    CellVaeConfig,
    VaeTrainingConfig,
    cell_vae,
    load_vae,
    save_vae,
    train_vae,
)
from jaxcurriculum.report.style import BLUE, ORANGE, STYLE
from jaxcurriculum.rollout import RolloutConfig

MAZES = envs.Mazes(size=9, num_walls=31, walls="uniform", time_limit=100)
HARDER = envs.Mazes(size=9, num_walls=36, walls="exact", time_limit=100)
RULES = envs.MazeRules(null_actions=False, penalize_time=False)  # so that a return of 1 is solved
NUM_TESTS = 100
NUM_EVALUATIONS = 10
NUM_ENVS, NUM_STEPS = 32, 256
PPO = students.PpoConfig(
    memory="gru",
    memory_size=64,
    hidden=(32,),
    num_epochs=4,
    minibatch_size=2048,
    discount=0.99,
    entropy_coefficient=1e-3,
)
ROLLOUT = RolloutConfig(num_envs=NUM_ENVS, num_steps=NUM_STEPS, pool_size=256)
LEVEL_BY_LEVEL = RolloutConfig(
    num_envs=NUM_ENVS, num_steps=NUM_STEPS, pool_size=NUM_ENVS, assign="slot", carry=False
)
UNIT = (0.0, 1.0)  # where returns lie


def _self_paced(space: Box) -> Teacher:
    """It moves as often as so few steps allow, from a random point to all over the box."""
    config = teachers.SelfPacedConfig(
        offset_steps=50_000,
        update_every_steps=25_000,
        alpha_offset=3,
    )
    return teachers.self_paced(space, config)


TEACHERS: dict[str, Callable[[Box], Teacher] | None] = {
    "random mazes": None,
    "random points": teachers.random,
    "alp-gmm": lambda space: teachers.alp_gmm(space, teachers.AlpGmmConfig(return_range=UNIT)),
    "goal-gan": teachers.goal_gan,
    "self-paced": _self_paced,
    "clutr": teachers.clutr,
    "flexible clutr": lambda space: teachers.clutr(
        space, teachers.ClutrConfig(objective="flexible")
    ),
}
STYLES: dict[str, Any] = {
    "random mazes": {"color": "0.4"},
    "random points": {"color": "0.4", "linestyle": "--"},
    "alp-gmm": {"color": ORANGE},
    "goal-gan": {"color": "#009E73"},
    "self-paced": {"color": "#CC79A7"},
    "clutr": {"color": BLUE},
    "flexible clutr": {"color": BLUE, "linestyle": "--"},
}


def trained(path: pathlib.Path) -> pathlib.Path:
    """The file of the autoencoder, which is trained where there is none yet."""
    if not path.exists():
        vae = cell_vae(CellVaeConfig(size=MAZES.size, latent_dims=32, hidden=(128,)))
        config = VaeTrainingConfig(learning_rate=3e-3, divergence_weight=0.1)
        train = jax.jit(lambda key: train_vae(key, vae, MAZES.sample, config))
        save_vae(path, vae, train(jax.random.key(0))[0])
    return path


def loop_of(name: str, decoder: pathlib.Path, num_steps: int) -> Loop:
    """A teacher, and as many students as it compares."""
    make = TEACHERS[name]
    if make is None:
        teacher = teachers.random(MAZES)
    else:
        vae, parameters = load_vae(decoder)
        decode = vae.decoder(parameters, MAZES)
        teacher = teachers.in_latent_space(make, vae.space(), decode)
    rollout = ROLLOUT if teacher.num_learners == 1 else LEVEL_BY_LEVEL
    student = students.ppo(envs.maze(MAZES, RULES), PPO, rollout)
    if teacher.num_learners > 1:
        student = students.population(student, teacher.num_learners)
    every = max(1, num_steps // NUM_EVALUATIONS // student.steps_per_round)
    config = LoopConfig(rounds_per_evaluation=every, deterministic=False)
    return make_loop(teacher, student, envs.solvable_mazes(HARDER, NUM_TESTS), config)


def figure(rows: dict[str, dict[str, Any]]) -> Figure:
    """Every seed's share of solved mazes as a thin line, their mean as a thick one."""
    drawn = Figure(figsize=(6.4, 3.8), layout="constrained")
    ax = drawn.subplots()
    for name, row in rows.items():
        curves = 100 * np.array(row["returns"])
        ax.plot(row["steps"], curves.T, linewidth=0.6, alpha=0.4, **STYLES[name])
        ax.plot(row["steps"], curves.mean(0), linewidth=2, label=name, **STYLES[name])
    ax.set(xlabel="steps of all students", ylabel="% of 100 mazes solved", xlim=(0, None))
    ax.xaxis.set_major_formatter(ticker.EngFormatter(sep=""))
    ax.grid(alpha=0.25)
    ax.legend(frameon=False, fontsize="small")
    return drawn


def main() -> None:
    """Run the study, then draw what it found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--teachers", nargs="+", choices=TEACHERS, default=list(TEACHERS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=400_000)
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("latent_study"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    decoder = trained(options.folder / "mazes_of_nine.npz")
    path = options.folder / "latent_study.json"
    rows = {}
    for name in options.teachers:
        loop = functools.partial(loop_of, name, decoder, options.steps)
        rows[name] = add_row(path, name, loop, options.seeds, NUM_EVALUATIONS)
        with matplotlib.rc_context(STYLE):
            figure(rows).savefig(options.folder / "latent_study.png", dpi=110)


if __name__ == "__main__":
    main()
