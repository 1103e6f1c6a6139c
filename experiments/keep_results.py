"""Keeps the small part of finished studies: tables to plot from, and policies to play.

    python experiments/keep_results.py STUDY ... [--folder experiments/results] [--seeds 1]

Of each run FOLDER/tables/STUDY/RUN gets the settings, all evaluations, and of the first seed every
eighth episode: a run without checkpoints, which `plot`, `compare` and `report` read. The policies
of its first seeds become FOLDER/policies/STUDY/RUN_seedN.npz, which `render` reads. A folder of
several studies is kept as one.
"""

from __future__ import annotations

import argparse
import pathlib
import shutil

import polars as pl

from jaxcurriculum import runs, use_cores
from jaxcurriculum.report.reading import runs_in
from jaxcurriculum.runs.files import write_json
from jaxcurriculum.runs.store import Table

EVERY = 8  # episodes
PRIVATE = ("command", "machine")  # of meta.json: of the machine that it was run on


def studies_in(folder: pathlib.Path) -> list[pathlib.Path]:
    """`folder`, if it is a study, or the studies in it."""
    inside = sorted(path.parent for path in folder.glob("*/runs"))
    return inside or [folder]


def keep_tables(run: runs.Run, folder: pathlib.Path) -> runs.Run:
    """A small copy of `run` in `folder`, in the place of one that is there."""
    episodes, evaluations = run.episodes(), run.all_evaluations()
    of_first = episodes.filter(pl.col("seed") == run.meta["first_seed"])
    shutil.rmtree(folder, ignore_errors=True)
    Table(folder / "episodes").append(of_first.gather_every(EVERY))
    Table(folder / "evaluations").append(evaluations)
    known = {name: value for name, value in run.meta.items() if name not in PRIVATE}
    known["thinned"] = {"seeds": 1, "every": EVERY}  # which episodes are there
    write_json(folder / "meta.json", known)
    write_json(folder / "config.json", run.config)
    return runs.Run(folder)


def keep_policies(run: runs.Run, folder: pathlib.Path, num_seeds: int) -> list[pathlib.Path]:
    """The policies of the first seeds of `run` as files in `folder`.

    Raises:
      RunError: when its student plays no environment.
    """
    first = run.meta["first_seed"]
    paths = []
    for seed in range(first, first + min(num_seeds, run.meta["num_seeds"])):
        policy = runs.load_policy(run, seed)
        folder.mkdir(parents=True, exist_ok=True)
        paths.append(runs.export_policy(policy, folder / f"{run.path.name}_seed{seed}.npz"))
    return paths


def keep(folder: pathlib.Path, results: pathlib.Path, num_seeds: int) -> None:
    """Keep what is small of the studies in `folder`, and print where."""
    folder = folder.resolve()
    for study in studies_in(folder):
        place = study.relative_to(folder.parent)
        tables, policies = (results / kind / place for kind in ("tables", "policies"))
        for run in runs_in([study]):
            print(keep_tables(run, tables / run.path.name).path)
            for path in keep_policies(run, policies, num_seeds):
                print(path)


def main() -> None:
    """Keep what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    results = pathlib.Path(__file__).parent / "results"
    parser.add_argument("studies", type=pathlib.Path, nargs="+", metavar="STUDY")
    parser.add_argument("--folder", type=pathlib.Path, default=results)
    parser.add_argument("--seeds", type=int, default=1, help="whose policies are kept of each run")
    options = parser.parse_args()
    use_cores(1)
    try:
        for study in options.studies:
            keep(study, options.folder, options.seeds)
    except runs.RunError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
