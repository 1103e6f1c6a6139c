"""Does SAC reach published scores? Returns of the mean action against environment steps.

    python experiments/sac_study.py STUDY [--seeds 5] [--first-seed 0] [--steps N]
                                    [--steps-per-update 1] [--folder sac_study]
    python experiments/sac_study.py figure [--folder sac_study]

Seeds are vmapped side by side. A curve is written after every evaluation, with a checkpoint: a
study that was stopped goes on where it was. `figure` draws all curves of the folder.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import matplotlib
import numpy as np
from matplotlib.figure import Figure

import jaxcurriculum.envs as envs
from jaxcurriculum import Environment, Loop, LoopConfig, make_loop, students, teachers, use_cores
from jaxcurriculum.learners import SacConfig
from jaxcurriculum.report.style import BLUE, ORANGE, STYLE
from jaxcurriculum.rollout import ReplayConfig, RolloutConfig
from jaxcurriculum.runs.checkpoint import Checkpoints


@dataclasses.dataclass(frozen=True, kw_only=True)
class Study:
    """A world, the settings that rl-baselines3-zoo has for it, and the score to reach."""

    env: Callable[[], Environment]
    config: SacConfig
    rollout: RolloutConfig
    capacity: int
    random_steps: int
    num_steps: int
    rounds_per_evaluation: int
    num_tests: int
    score: float

    def loop(self, steps_per_update: int) -> Loop:
        """The loop of one seed, with one update every `steps_per_update` steps."""
        env = self.env()
        steps = self.rollout.num_envs * self.rollout.num_steps
        replay = ReplayConfig(
            capacity=self.capacity,
            random_steps=self.random_steps,
            num_updates=steps // steps_per_update,
        )
        student = students.sac(env, self.config, self.rollout, replay)
        test = jnp.tile(env.task_space.sample(jax.random.key(0)), (self.num_tests, 1))
        config = LoopConfig(rounds_per_evaluation=self.rounds_per_evaluation)
        return make_loop(teachers.random(env.task_space), student, test, config)


STUDIES = {
    "pendulum": Study(
        env=lambda: envs.pendulum({"mass": (1.0, 1.0)}, observe_task=False),
        config=SacConfig(hidden=(64, 64), learning_rate=1e-3),
        rollout=RolloutConfig(num_envs=4, num_steps=16, pool_size=4),
        capacity=320 * 64,
        random_steps=100,
        num_steps=20_000,
        rounds_per_evaluation=32,
        num_tests=50,
        score=-150.0,
    ),
    "bipedal-walker": Study(
        env=envs.bipedal_walker,
        config=SacConfig(learning_rate=7.3e-4, discount=0.98, target_rate=0.02),
        rollout=RolloutConfig(num_envs=16, num_steps=32, pool_size=16),
        capacity=586 * 512,
        random_steps=10_000,
        num_steps=500_000,
        rounds_per_evaluation=49,
        num_tests=10,
        score=290.0,
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("study", choices=(*STUDIES, "figure"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help="by default those of the study")
    parser.add_argument("--steps-per-update", type=int, default=1)
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("sac_study"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.study == "figure":
        print(draw(options.folder))
        return
    use_cores(1)
    run(options.study, options)


def run(name: str, options: argparse.Namespace) -> None:
    """Train the seeds of one study, from their last checkpoint on."""
    loop = STUDIES[name].loop(options.steps_per_update)
    last = options.first_seed + options.seeds - 1
    title = f"{name}-1-{options.steps_per_update}-seeds-{options.first_seed}-{last}"
    keys = jax.vmap(jax.random.key)(jnp.arange(options.first_seed, last + 1))
    state = jax.jit(jax.vmap(loop.init))(keys)
    advance = jax.jit(jax.vmap(loop.advance, in_axes=(0, None)), donate_argnums=0)
    path = options.folder / f"{title}.json"
    with Checkpoints((options.folder / title).absolute()) as checkpoints:
        restored = checkpoints.restore(state, {"title": title})
        done, state, _ = restored or (0, state, [])
        rows = json.loads(path.read_text())["evaluations"][:done] if done else []
        while done * loop.steps_per_advance < (options.steps or STUDIES[name].num_steps):
            begun = time.perf_counter()
            state, report = advance(state, jnp.int32(done * loop.config.rounds_per_evaluation))
            done += 1
            rows.append(_row(done * loop.steps_per_advance, report))
            rows[-1]["seconds"] = time.perf_counter() - begun
            checkpoints.save(done, state, {"title": title})
            record = {"study": name, "steps_per_update": options.steps_per_update}
            path.write_text(json.dumps(record | {"evaluations": rows}, indent=1) + "\n")
            print(rows[-1], flush=True)


def _row(steps: int, report: Any) -> dict[str, Any]:
    """Each seed's mean return over the test episodes, and what its student said last."""
    returns = np.asarray(report.evaluation.returns)
    student = {name: np.asarray(values)[:, -1] for name, values in report.student.items()}
    names = ("critic_loss", "entropy", "temperature", "value")
    said = {name: [round(float(x), 4) for x in student[name]] for name in names}
    return {"steps": steps, "returns": [round(float(x), 2) for x in returns.mean(1)], **said}


def draw(folder: pathlib.Path) -> pathlib.Path:
    """One panel a study: a line a seed, and the score to reach."""
    matplotlib.rcParams.update(STYLE)
    curves = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    names = [name for name in STUDIES if any(curve["study"] == name for curve in curves)]
    figure = Figure(figsize=(4.2 * len(names), 3), layout="constrained")
    for axes, name in zip(np.ravel(figure.subplots(1, len(names))), names):
        for curve in [curve for curve in curves if curve["study"] == name]:
            steps = [row["steps"] / 1000 for row in curve["evaluations"]]
            every = curve["steps_per_update"]
            returns = [row["returns"] for row in curve["evaluations"]]
            lines = axes.plot(steps, returns, color=BLUE if every == 1 else ORANGE, lw=1)
            label = "an update a step" if every == 1 else f"one in {every} steps"
            if label not in axes.get_legend_handles_labels()[1]:
                lines[0].set_label(label)
        axes.axhline(STUDIES[name].score, color="0.55", ls="--", lw=1)
        axes.set(title=name, xlabel="environment steps / 1000", ylabel="return")
        axes.legend(frameon=False, loc="right")
    path = folder / "sac.png"
    figure.savefig(path, dpi=110)
    return path


if __name__ == "__main__":
    main()
