"""From finished jobs to the runs of cells, each an ordinary folder with all its seeds; and back,
when a study goes on for more steps.

A job whose cells are all there has no files of its own any more but for `done.json`.
"""

from __future__ import annotations

import math
import os
import pathlib
import shutil
from collections.abc import Iterable

import jax

from jaxcurriculum.cli.build import rebuild, set_up
from jaxcurriculum.runs.experiment import Experiment, make_experiment
from jaxcurriculum.runs.meta import describe
from jaxcurriculum.runs.store import Run, write_json
from jaxcurriculum.study.jobs import DONE, LOCK, claimed, is_done, job_folder, locked
from jaxcurriculum.study.lanes import experiment_of
from jaxcurriculum.study.parts import Part, save, stacked, write_parts
from jaxcurriculum.study.plan import Plan
from jaxcurriculum.study.programs import settings_of, unchecked


def run_folder(study: pathlib.Path, cell: str) -> pathlib.Path:
    """Where the run of a cell is, once it is complete."""
    return study / "runs" / cell


def publish(study: pathlib.Path, plan: Plan, cell: str) -> bool:
    """Write the run of `cell` if all its jobs are done, and return whether it is there.

    It is written beside its place and renamed when it is complete.
    """
    jobs = plan.jobs_of(cell)
    if not all(is_done(study, plan, job) for job in jobs):
        return False
    folder = run_folder(study, cell)
    folder.parent.mkdir(exist_ok=True)
    with locked(folder.with_name(f".{cell}.lock")):
        partial = folder.with_name(f".{cell}.partial")
        if partial.exists() and not folder.exists() and Run(partial).exists:
            os.replace(partial, folder)  # a worker was killed between the two steps below
        if not _is_there(study, plan, cell):
            shutil.rmtree(partial, ignore_errors=True)
            _write(Run(partial), study, plan, cell)
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(partial, folder)
    return True


def publish_all(study: pathlib.Path, cells: Iterable[str] | None = None) -> None:
    """`publish` for `cells`, by default all, and remove the files of jobs that are there twice."""
    plan = Plan.read(study)
    complete = [cell for cell in cells or plan.cells if publish(study, plan, cell)]
    for job in dict.fromkeys(job for cell in complete for job in plan.jobs_of(cell)):
        if all(_is_there(study, plan, cell) for cell, _ in plan.jobs[job].lanes):
            _clear(job_folder(study, job))


def revive(study: pathlib.Path, plan: Plan, job: str, experiment: Experiment) -> None:
    """Give a job that is to go on, after its files were removed, its last state again."""
    lanes = plan.jobs[job].lanes
    states = {}
    for cell in dict.fromkeys(cell for cell, _ in lanes):
        before = _published(study, cell)
        if before is None:
            return
        states |= {(cell, seed): state for seed, state in before.states().items()}
    done = _published(study, lanes[0][0]).run.meta["evaluations_done"]
    filled = [*lanes, *[lanes[0]] * (experiment.num_seeds - len(lanes))]
    save(Run(job_folder(study, job)), done, stacked([states[lane] for lane in filled]), experiment)


def is_cleared(folder: pathlib.Path) -> bool:
    """Whether the files of a finished job were removed."""
    return (folder / DONE).exists() and not (folder / "checkpoints").exists()


def _clear(folder: pathlib.Path) -> None:
    with claimed(folder) as is_mine:
        if not is_mine or is_cleared(folder):
            return
        # at once: half a checkpoint would be a damaged one
        os.replace(folder / "checkpoints", folder / ".gone")
        for path in folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name not in (DONE, LOCK):
                path.unlink()


def _is_there(study: pathlib.Path, plan: Plan, cell: str) -> bool:
    """Whether the run of `cell` has all its seeds and steps."""
    run, config = Run(run_folder(study, cell)), plan.cells[cell].config
    return run.exists and all(run.config[name] == config[name] for name in ("seeds", "steps"))


def _write(run: Run, study: pathlib.Path, plan: Plan, cell: str) -> None:
    """Everything of a run, from its jobs and from what was there before; config.json last."""
    experiment = _experiment(plan, cell)
    before = _published(study, cell)
    jobs = [_of_job(study, plan, cell, job, before) for job in plan.jobs_of(cell)]
    parts = [part for part in (before, *jobs) if part is not None]
    run.path.mkdir(parents=True)
    write_parts(run, parts, experiment)
    metas = [part.run.meta for part in parts]
    share = [len(part.seeds) / meta["num_seeds"] for part, meta in zip(parts, metas)]
    seconds = sum(part * meta["wall_seconds"] for part, meta in zip(share, metas))
    meta = describe(experiment) | {
        "evaluations_done": experiment.num_advances,
        "wall_seconds": round(seconds, 3),
        "started": min(meta["started"] for meta in metas),
    }
    write_json(run.path / "meta.json", meta)
    write_json(run.path / "config.json", experiment.config)


def _experiment(plan: Plan, cell: str) -> Experiment:
    """The run of `cell` as its files tell of it."""
    config = plan.cells[cell].config
    settings = settings_of(config)
    loop = set_up(settings, make=unchecked).loop
    group = math.gcd(plan.programs[plan.cells[cell].program].group, settings.seeds)
    again = f"{rebuild.__module__}:{rebuild.__name__}"
    sizes = (settings.seeds, settings.steps, settings.seed, group)
    return make_experiment(loop, *sizes, settings=config | {"group": group}, rebuild=again)


def _published(study: pathlib.Path, cell: str) -> Part | None:
    """The run that a cell has already."""
    run = Run(run_folder(study, cell))
    if not run.exists:
        return None
    experiment = rebuild(run.config)
    seeds = range(experiment.first_seed, experiment.first_seed + experiment.num_seeds)
    return Part(run, experiment, {seed: seed for seed in seeds}, dict.fromkeys(seeds, 0))


def _of_job(
    study: pathlib.Path, plan: Plan, cell: str, job: str, before: Part | None
) -> Part | None:
    """What a job has of `cell` that is not there `before`; None where its files were removed."""
    folder = job_folder(study, job)
    if is_cleared(folder):
        return None
    lanes = enumerate(plan.jobs[job].lanes)
    seeds = {lane: seed for lane, (other, seed) in lanes if other == cell}
    done = before.run.meta["evaluations_done"] if before else 0
    starts = {seed: done if before and seed in before.starts else 0 for seed in seeds.values()}
    experiment = experiment_of(plan, plan.jobs[job], jax.local_devices()[0])
    return Part(Run(folder), experiment, seeds, starts)
