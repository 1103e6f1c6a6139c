"""PPO on classic control as published, with the settings of RL Baselines3 Zoo (but for Pendulum).

    python experiments/classic_ppo.py [--seeds 5] [--worlds pendulum ...] [--folder classic_ppo]

Writes classic_ppo.json and classic_ppo.png. A world that stands in the file is not run again.
"""

from __future__ import annotations

import argparse
import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import matplotlib
import numpy as np
import optax
from matplotlib import ticker
from matplotlib.figure import Figure
from side_by_side import add_row

import jaxcurriculum.envs as envs
from jaxcurriculum import Environment, Loop, LoopConfig, make_loop, students, teachers
from jaxcurriculum.report.style import BLUE, STYLE
from jaxcurriculum.rollout import RolloutConfig

NUM_EVALUATIONS = 20
NUM_TEST_EPISODES = 50


@dataclasses.dataclass(frozen=True)
class World:
    """A world with one task, its published score, and how it is practised."""

    make: Callable[..., Environment]
    gravity: float  # as published: an axis of no width
    score: float
    num_steps: int
    ppo: students.PpoConfig
    rollout: RolloutConfig
    anneals: bool = False  # whether learning rate and clipping fall linearly to 0

    def loop(self) -> Loop:
        """PPO on the one task."""
        env = self.make({"gravity": (self.gravity, self.gravity)}, observe_task=False)
        student = students.ppo(env, self.ppo, self.rollout)
        num_rounds = round(self.num_steps / student.steps_per_round)
        if self.anneals:
            starts = {name: getattr(self.ppo, name) for name in ("learning_rate", "clip_ratio")}
            falling: dict[str, Any] = {
                name: optax.linear_schedule(start, 0.0, num_rounds)
                for name, start in starts.items()
            }
            student = students.tune(student, students.scheduled(**falling))
        tests = jnp.full((NUM_TEST_EPISODES, 1), self.gravity)
        every = LoopConfig(rounds_per_evaluation=max(1, num_rounds // NUM_EVALUATIONS))
        return make_loop(teachers.random(env.task_space), student, tests, every)


WORLDS = {
    "cart-pole": World(
        make=envs.cart_pole,
        gravity=9.8,
        score=500.0,
        num_steps=100_000,
        ppo=students.PpoConfig(
            learning_rate=1e-3,
            discount=0.98,
            gae_lambda=0.8,
            num_epochs=20,
            minibatch_size=256,
            standardise=False,
        ),
        rollout=RolloutConfig(num_envs=8, num_steps=32, pool_size=64),
        anneals=True,
    ),
    "acrobot": World(
        make=envs.acrobot,
        gravity=9.8,
        score=-75.0,
        num_steps=1_000_000,
        ppo=students.PpoConfig(
            learning_rate=3e-4,
            discount=0.99,
            gae_lambda=0.94,
            num_epochs=4,
            minibatch_size=64,
        ),
        rollout=RolloutConfig(num_envs=16, num_steps=256, pool_size=128),
    ),
    # In the zoo: 4 worlds of 1,024 steps, constant rates, exploration that depends on the state.
    "pendulum": World(
        make=envs.pendulum,
        gravity=10.0,
        score=-170.0,
        num_steps=400_000,
        ppo=students.PpoConfig(
            learning_rate=1e-3,
            discount=0.9,
            gae_lambda=0.95,
            num_epochs=10,
            minibatch_size=64,
            standardise=False,
        ),
        rollout=RolloutConfig(num_envs=8, num_steps=128, pool_size=32),
        anneals=True,
    ),
}


def figure(rows: dict[str, dict[str, Any]]) -> Figure:
    """A panel a world: every seed's return as a thin line, their mean as a thick one."""
    drawn = Figure(figsize=(3.8 * len(rows), 3.2), layout="constrained")
    panels = np.atleast_1d(drawn.subplots(1, len(rows)))
    for ax, (name, row) in zip(panels, rows.items()):
        curves = np.array(row["returns"])
        ax.axhline(WORLDS[name].score, color="0.55", linewidth=1, linestyle="--")
        ax.plot(row["steps"], curves.T, color=BLUE, linewidth=0.7, alpha=0.5)
        ax.plot(row["steps"], curves.mean(0), color=BLUE, linewidth=2)
        ax.set(title=name, xlabel="steps", xlim=(0, None))
        ax.xaxis.set_major_formatter(ticker.EngFormatter(sep=""))
        ax.grid(alpha=0.25)
    panels[0].set_ylabel("test return")
    return drawn


def main() -> None:
    """Run the study, then draw what it found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--worlds", nargs="+", choices=WORLDS, default=list(WORLDS))
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("classic_ppo"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    path = options.folder / "classic_ppo.json"
    rows = {}
    for name in options.worlds:
        rows[name] = add_row(path, name, WORLDS[name].loop, options.seeds, NUM_EVALUATIONS)
    with matplotlib.rc_context(STYLE):
        figure(rows).savefig(options.folder / "classic_ppo.png", dpi=110)


if __name__ == "__main__":
    main()
