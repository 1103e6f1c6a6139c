"""From finished jobs to the runs of cells, each an ordinary folder with all its seeds; and back,
when a study goes on for more steps.

A job whose cells are all there has no files of its own any more but for `done.json`.
"""

from __future__ import annotations

import math
import os
import pathlib
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from jaxcurriculum.cli.build import rebuild
from jaxcurriculum.runs.errors import DamagedError, RunError
from jaxcurriculum.runs.experiment import Experiment, make_experiment
from jaxcurriculum.runs.files import write_json
from jaxcurriculum.runs.meta import describe
from jaxcurriculum.runs.store import Run
from jaxcurriculum.study.jobs import DONE, LOCK, claimed, is_done, job_folder, locked, set_done
from jaxcurriculum.study.lanes import experiment_of, loop_of
from jaxcurriculum.study.parts import Part, Source, save, write_parts
from jaxcurriculum.study.plan import Plan


def run_folder(study: pathlib.Path, cell: str) -> pathlib.Path:
    """Where the run of a cell is, once it is complete."""
    return study / "runs" / cell


def publish(study: pathlib.Path, cells: Iterable[str] | None = None) -> list[str]:
    """Write the run of each of `cells` (by default of all) whose jobs are done.

    Files of jobs that are in runs then are removed. Returns the cells that are complete.

    Raises:
      RunError: of the first cell that cannot be written, after all others are.
    """
    plan, sources, complete = Plan.read(study), {}, []
    faults = []
    for cell in cells or plan.cells:
        try:
            with remedy(run_folder(study, cell), *_folders(study, plan, cell)):
                if _publish(study, plan, cell, sources):
                    complete.append(cell)
        except RunError as fault:
            faults.append(fault)
    for job in dict.fromkeys(job for cell in complete for job in plan.jobs_of(cell)):
        if all(_is_there(study, plan, cell) for cell, _ in plan.jobs[job].lanes):
            _clear(study, plan, job)
    if faults:
        raise faults[0]
    return complete


@contextmanager
def remedy(*folders: pathlib.Path) -> Iterator[None]:
    """Inside, damage is told with the folders to remove so that their seeds run again."""
    try:
        yield
    except DamagedError as error:
        there = ", ".join(str(folder) for folder in folders if folder.exists())
        told = f"{str(error).removesuffix('.')}, or remove {there} to run their seeds again."
        raise RunError(told) from None


def revive(study: pathlib.Path, plan: Plan, job: str, experiment: Experiment) -> None:
    """Give a job that is to go on, after its files were removed, its last state again."""
    lanes = plan.jobs[job].lanes
    states, done = {}, 0
    for cell in dict.fromkeys(cell for cell, _ in lanes):
        before = _before(study, plan, cell)
        if before is None:
            return
        with remedy(before.source.run.path, *_folders(study, plan, cell)):
            states |= {(cell, seed): state for seed, state in before.states().items()}
        done = before.source.meta["evaluations_done"]
    filled = [*lanes, *[lanes[0]] * (experiment.num_seeds - len(lanes))]
    save(Run(job_folder(study, job)), done, [states[lane] for lane in filled], experiment)


def is_cleared(folder: pathlib.Path) -> bool:
    """Whether the files of a finished job were removed.

    An empty folder of checkpoints is of a worker that was killed when the job was to go on.
    """
    saved = (path for path in (folder / "checkpoints").glob("*") if path.name.isdigit())
    return (folder / DONE).exists() and not any(saved)


def _publish(study: pathlib.Path, plan: Plan, cell: str, sources: dict[str, Source]) -> bool:
    """Write the run of `cell` if all its jobs are done, and return whether it is there.

    It is written beside its place and renamed when it is complete.
    """
    if _is_there(study, plan, cell):
        return True
    if not all(is_done(study, plan, job) for job in plan.jobs_of(cell)):
        return False
    folder = run_folder(study, cell)
    folder.parent.mkdir(exist_ok=True)
    partial, old = (folder.with_name(f".{cell}.{word}") for word in ("partial", "old"))
    with locked(folder.with_name(f".{cell}.lock")):
        if not folder.exists() and Run(partial).exists:
            os.replace(partial, folder)  # a worker was killed between the two steps below
        if not _is_there(study, plan, cell):
            shutil.rmtree(partial, ignore_errors=True)
            _write(Run(partial), study, plan, cell, sources)
            if folder.exists():
                shutil.rmtree(old, ignore_errors=True)  # of a worker that was killed below
                os.replace(folder, old)
            os.replace(partial, folder)
        shutil.rmtree(old, ignore_errors=True)
    return True


def _clear(study: pathlib.Path, plan: Plan, job: str) -> None:
    """Leave nothing of a job, all of whose runs are there, but the note that it is done."""
    folder = job_folder(study, job)
    if is_done(study, plan, job) and {path.name for path in folder.iterdir()} <= {DONE, LOCK}:
        return
    with claimed(folder) as is_mine:
        if not is_mine:
            return
        if not is_done(study, plan, job):
            set_done(study, plan, job)
        gone = folder / ".gone"
        shutil.rmtree(gone, ignore_errors=True)  # of a worker that was killed below
        if (folder / "checkpoints").exists():
            os.replace(folder / "checkpoints", gone)  # at once: half a one would be damaged
        for path in folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name not in (DONE, LOCK):
                path.unlink()


def _folders(study: pathlib.Path, plan: Plan, cell: str) -> list[pathlib.Path]:
    """Those of the jobs that hold a seed of `cell`."""
    return [job_folder(study, job) for job in plan.jobs_of(cell)]


def _is_there(study: pathlib.Path, plan: Plan, cell: str) -> bool:
    """Whether the run of `cell` has all its seeds and steps."""
    config = plan.cells[cell].config
    try:
        there = Run(run_folder(study, cell)).config
    except RunError:  # nothing, or another worker is replacing it
        return False
    return all(there[name] == config[name] for name in ("seeds", "steps"))


def _write(
    run: Run, study: pathlib.Path, plan: Plan, cell: str, sources: dict[str, Source]
) -> None:
    """Everything of a run, from its jobs and from what was there before; config.json last."""
    config = plan.cells[cell].config
    group = math.gcd(plan.programs[plan.cells[cell].program].group, config["seeds"])
    experiment = _experiment(plan, cell, config | {"group": group})
    before = _before(study, plan, cell)
    jobs = [_of_job(study, plan, cell, job, before, sources) for job in plan.jobs_of(cell)]
    parts = [part for part in (before, *jobs) if part is not None]
    _check_whole(study, plan, cell, parts)
    run.path.mkdir(parents=True)
    write_parts(run, parts, experiment)
    metas = [part.source.meta for part in parts]
    shares = [len(part.seeds) / meta["num_seeds"] for part, meta in zip(parts, metas)]
    seconds = sum(share * meta["wall_seconds"] for share, meta in zip(shares, metas))
    meta = describe(experiment) | {
        "evaluations_done": experiment.num_advances,
        "wall_seconds": round(seconds, 3),
        "started": min(meta["started"] for meta in metas),
    }
    write_json(run.path / "meta.json", meta)
    write_json(run.path / "config.json", experiment.config)


def _check_whole(study: pathlib.Path, plan: Plan, cell: str, parts: list[Part]) -> None:
    """Check that `parts` have all seeds of `cell`; those of finished jobs are in its run alone.

    Raises:
      RunError: when that run is gone.
    """
    held = {seed for part in parts for seed in part.seeds.values()}
    if held >= {*plan.cells[cell].seeds}:
        return
    gone = ", ".join(str(job) for job in _folders(study, plan, cell) if is_cleared(job))
    raise RunError(
        f"{run_folder(study, cell)} is gone, and had the only copy of its seeds: put it back, or"
        f" remove {gone} to run them again."
    )


def _experiment(plan: Plan, cell: str, config: dict[str, Any]) -> Experiment:
    """A run of `cell` with this config.json."""
    sizes = (config["seeds"], config["steps"], config["seed"], config["group"])
    again = f"{rebuild.__module__}:{rebuild.__name__}"
    return make_experiment(loop_of(plan, cell), *sizes, settings=config, rebuild=again)


def _before(study: pathlib.Path, plan: Plan, cell: str) -> Part | None:
    """The run that a cell has already."""
    run = Run(run_folder(study, cell))
    if not run.exists:
        return None
    experiment = _experiment(plan, cell, run.config)
    seeds = range(experiment.first_seed, experiment.first_seed + experiment.num_seeds)
    own = {seed: seed for seed in seeds}
    return Part(Source(run, experiment), own, dict.fromkeys(seeds, 0))


def _of_job(
    study: pathlib.Path,
    plan: Plan,
    cell: str,
    job: str,
    before: Part | None,
    sources: dict[str, Source],
) -> Part | None:
    """What a job has of `cell` that is not there `before`; None where its files were removed."""
    folder = job_folder(study, job)
    if is_cleared(folder):
        return None
    if job not in sources:
        sources[job] = Source(Run(folder), experiment_of(plan, plan.jobs[job]))
    lanes = enumerate(plan.jobs[job].lanes)
    seeds = {lane: seed for lane, (other, seed) in lanes if other == cell}
    done = before.source.meta["evaluations_done"] if before else 0
    starts = {seed: done if before and seed in before.starts else 0 for seed in seeds.values()}
    return Part(sources[job], seeds, starts)
