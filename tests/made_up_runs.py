"""Runs of files with known content, as `train` writes them, without training."""

import dataclasses
import json

import numpy as np
import polars as pl

from jaxcurriculum.cli.settings import Settings
from jaxcurriculum.runs.store import META, Run, Table

TASKS = (0.1, 0.3, 0.5, 0.7)


def made_up_run(
    path, solved, tasks=TASKS, axis="x", every=100, evaluations=2, first_seed=0, **settings
):
    """A run tested on `tasks` ([num] or [num, dims]); `solved` [seeds] of them are mastered from
    the second evaluation on, with a return of 100.
    """
    tasks = np.array(tasks, np.float32).reshape(len(tasks), -1)
    names = [f"{axis}{k}" for k in range(tasks.shape[1])]
    rows = [
        {
            "seed": first_seed + seed,
            "evaluation": e,
            "steps": every * (e + 1),
            "test_task": index,
            **dict(zip(names, task.tolist())),
            "return": 100.0 * (is_solved := e >= 1 and index < num),
            "length": 10,
            "solved": is_solved,
        }
        for e in range(evaluations)
        for seed, num in enumerate(solved)
        for index, task in enumerate(tasks)
    ]
    Table(path / "evaluations").append(pl.DataFrame(rows))
    known = {"student": "toy-grid", "teacher": path.name, "steps": every * evaluations}
    known |= {"seeds": len(solved), "seed": first_seed}
    config = dataclasses.asdict(Settings(**known | settings))
    (path / "config.json").write_text(json.dumps(config))
    num = len(names)
    axes = {"names": names, "units": ["m"] * num, "low": [0.0] * num, "high": [1.0] * num}
    meta = {"step_unit": "episodes", "wall_seconds": 60.0, "axes": axes, "first_seed": first_seed}
    meta |= {"steps_per_round": every, "rounds_per_evaluation": 1, "num_seeds": len(solved)}
    meta |= {"evaluations_done": evaluations}
    (path / "meta.json").write_text(json.dumps(dict.fromkeys(META) | meta))
    return Run(path)


def with_curriculum(run, num_episodes=300, **reports):
    """`run` with episodes on random tasks, whose return is their first coordinate, and a file for
    each evaluation of what was reported: `reports`, each [evaluations, seeds, ...], by names like
    "teacher.low".
    """
    meta, rng = run.meta, np.random.default_rng(0)
    rounds = run.evaluations()["evaluation"].max() + 1
    for seed in range(meta["first_seed"], meta["first_seed"] + meta["num_seeds"]):
        tasks = {name: rng.random(num_episodes, np.float32) for name in meta["axes"]["names"]}
        first = tasks[meta["axes"]["names"][0]]
        known = {"seed": np.full(num_episodes, seed), "return": first, "solved": first > 0.5}
        known |= {"round": np.arange(num_episodes) * rounds // num_episodes, **tasks}
        known |= {"origin": np.ones(num_episodes, np.int32)}
        Table(run.path / "episodes")._write(seed, pl.DataFrame(known))
    (run.path / "reports").mkdir()
    for place in range(rounds):
        arrays = {name: np.asarray(values)[place] for name, values in reports.items()}
        np.savez(run.path / f"reports/evaluation-{place:08d}.npz", **arrays)
    return run
