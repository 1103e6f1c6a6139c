"""The study of tasks of intermediate success: ProCuRL beside sampling for learnability.

    python experiments/procurl_study.py [--teachers procurl ...] [--seeds 5]
                                        [--folder procurl_study]

The world is ProCuRL's sparse point mass: a reward of 1 for coming near the goal behind the gate.
Writes procurl_study.json and procurl_study.png. A teacher that stands in the file is not run again.
All seeds of a teacher are one program.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import time
from typing import Any

import jax
import jax.numpy as jnp
import matplotlib
import numpy as np
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import jaxcurriculum.envs as envs
from jaxcurriculum import Environment, LoopConfig, Teacher, make_loop, teachers, use_cores
from jaxcurriculum.envs.point_mass.point_mass import GOAL
from jaxcurriculum.report.style import BLUE, ORANGE, STYLE
from jaxcurriculum.rollout import RolloutConfig
from jaxcurriculum.students import PpoConfig, ppo
from jaxcurriculum.teachers import LearnabilityConfig, ProcurlConfig

NEAR = 0.3  # m from the goal
NUM_EVALUATIONS = 16
ROUNDS_PER_EVALUATION = 5  # of 5,120 steps
NUM_TEST_TASKS = 100
STYLES: dict[str, Any] = {
    "random": {"color": "0.55"},
    "pool": {"color": "0.55", "linestyle": "--"},
    "learnability": {"color": ORANGE},
    "procurl": {"color": BLUE},
    "procurl-value": {"color": BLUE, "linestyle": "--"},
}


def sparse_point_mass() -> Environment:
    """The point mass of position, width and friction, which is paid for arriving alone."""
    env = envs.point_mass(None)

    def step(key, level, state, action):
        state, timestep = env.step(key, level, state, action)
        arrived = jnp.linalg.norm(state.place - GOAL) < NEAR
        reward = arrived.astype(jnp.float32)
        return state, timestep.replace(reward=reward, terminated=timestep.terminated | arrived)

    return dataclasses.replace(
        env, name="sparse-point-mass", step=step, solved_above=0.5, return_range=(0.0, 1.0)
    )


def teacher_of(name: str, env: Environment) -> Teacher:
    """Learnability and ProCuRL as they are by default, random tasks of the space and of a pool."""
    make = {
        "random": teachers.random,
        "pool": lambda space: teachers.procurl(space, ProcurlConfig(beta=0.0, success="value")),
        "learnability": lambda space: teachers.learnability(space, LearnabilityConfig()),
        "procurl": lambda space: teachers.procurl(space, ProcurlConfig()),
        "procurl-value": lambda space: teachers.procurl(space, ProcurlConfig(success="value")),
    }
    return make[name](env.task_space)


def curves(name: str, num_seeds: int) -> dict[str, Any]:
    """Success and the steps of probes so far, at every evaluation of every seed."""
    env = sparse_point_mass()
    config = PpoConfig(
        num_epochs=10, minibatch_size=512, entropy_coefficient=0.01, initial_log_std=1.0
    )
    rollout = RolloutConfig(num_envs=40, num_steps=128, pool_size=512)
    tasks = jax.vmap(env.task_space.sample)(jax.random.split(jax.random.key(1), NUM_TEST_TASKS))
    how = LoopConfig(rounds_per_evaluation=ROUNDS_PER_EVALUATION, deterministic=False)
    loop = make_loop(teacher_of(name, env), ppo(env, config, rollout), tasks, how)
    advance = jax.jit(jax.vmap(loop.advance, in_axes=(0, None)), donate_argnums=0)
    state = jax.vmap(loop.init)(jax.random.split(jax.random.key(0), num_seeds))
    success, probe_steps, start = [], [], time.perf_counter()
    for index in range(NUM_EVALUATIONS):
        state, report = advance(state, jnp.int32(index * ROUNDS_PER_EVALUATION))
        success.append(np.asarray(report.evaluation.solved).mean(1).round(3).tolist())
        probe_steps.append(np.asarray(report.counters.probe_steps).tolist())
        seconds = time.perf_counter() - start
        print(f"{name} {index + 1}: {success[-1]} {seconds:.0f} s", flush=True)
    return {
        "success": success,
        "probe_steps": probe_steps,
        "steps_per_evaluation": loop.steps_per_advance,
        "seconds": round(time.perf_counter() - start),
    }


def run(folder: pathlib.Path, names: list[str], num_seeds: int) -> dict[str, Any]:
    """Run every teacher that is not in the folder's file yet, and write the file after each."""
    path = folder / "procurl_study.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    for name in names:
        if name in results:
            continue
        results[name] = curves(name, num_seeds)
        new = path.with_suffix(".new")
        new.write_text(json.dumps(results) + "\n")
        new.replace(path)
    return results


def figure(results: dict[str, Any]) -> Figure:
    """Success against the steps of training, and against these and those of probes."""
    drawn = Figure(figsize=(10, 3.8), layout="constrained")
    left, right = drawn.subplots(1, 2, sharey=True)
    for name in STYLES:
        if name in results:
            row = results[name]
            success = np.array(row["success"])
            trained = row["steps_per_evaluation"] * np.arange(1, len(success) + 1)
            spent = trained + np.array(row["probe_steps"]).mean(1)
            _draw(left, name, trained, success)
            _draw(right, name, spent, success)
    left.set(xlabel="steps of training", ylabel="test tasks solved (%)")
    left.set(xlim=(0, None), ylim=(0, 100))
    right.set(xlabel="steps of training and of probes", xlim=left.get_xlim())
    right.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return drawn


def _draw(ax: Axes, name: str, steps: np.ndarray, success: np.ndarray) -> None:
    ax.plot(steps, 100 * success, linewidth=0.6, alpha=0.4, **STYLES[name])
    ax.plot(steps, 100 * success.mean(1), linewidth=2.2, label=name, **STYLES[name])
    ax.xaxis.set_major_formatter(ticker.EngFormatter(sep=""))


def table(results: dict[str, Any]) -> str:
    """Success in % at the end, on average over training, and at the end of equal budgets."""
    budget = min(row["steps_per_evaluation"] * len(row["success"]) for row in results.values())
    lines = [
        "| teacher | at the end | each seed | mean over training | after as many steps, with those"
        " of probes | probe steps |",
        "|---|---|---|---|---|---|",
    ]
    for name in STYLES:
        if name not in results:
            continue
        row = results[name]
        success, probes = 100 * np.array(row["success"]), np.array(row["probe_steps"])
        trained = row["steps_per_evaluation"] * np.arange(1, len(success) + 1)
        spent = trained[:, None] + probes
        equal = [np.interp(budget, x, y) for x, y in zip(spent.T, success.T)]
        final = success[-1]
        each = ", ".join(f"{value:.0f}" for value in final)
        lines.append(
            f"| {name} | {final.mean():.1f} ± {final.std(ddof=1):.1f} | {each} |"
            f" {success.mean():.1f} | {np.mean(equal):.1f} ± {np.std(equal, ddof=1):.1f} |"
            f" {probes[-1].mean() / 1e6:.2f} M |"
        )
    return "\n".join(lines)


def main() -> None:
    """Run the study, then draw and tabulate what it found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5, help="seeds of every teacher, all at once")
    parser.add_argument("--teachers", nargs="+", choices=STYLES, default=list(STYLES))
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("procurl_study"))
    options = parser.parse_args()
    use_cores(1)
    options.folder.mkdir(parents=True, exist_ok=True)
    results = run(options.folder, options.teachers, options.seeds)
    print(table(results))
    with matplotlib.rc_context(STYLE):
        figure(results).savefig(options.folder / "procurl_study.png", dpi=110)


if __name__ == "__main__":
    main()
