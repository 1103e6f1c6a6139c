"""Keeps the small part of finished studies: tables to plot from, and policies to play.

    python experiments/keep_results.py STUDY ... [--folder experiments/results] [--seeds 1]

Of each run in a study FOLDER/tables/STUDY/RUN gets the settings, all evaluations, and of the first
seed every eighth episode: a run without checkpoints, which `plot`, `compare` and `report` read. The
policies of its first seeds become FOLDER/policies/RUN_seedN.npz, which `render` reads.
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


def keep_tables(run: runs.Run, folder: pathlib.Path) -> runs.Run:
    """A small copy of `run` in `folder`, in the place of one that is there."""
    shutil.rmtree(folder, ignore_errors=True)
    episodes = run.episodes().filter(pl.col("seed") == run.meta["first_seed"])
    Table(folder / "episodes").append(episodes.gather_every(EVERY))
    Table(folder / "evaluations").append(run.evaluations())
    known = {name: value for name, value in run.meta.items() if name not in PRIVATE}
    write_json(folder / "meta.json", known)
    write_json(folder / "config.json", run.config)
    return runs.Run(folder)


def keep_policies(run: runs.Run, folder: pathlib.Path, num_seeds: int) -> list[pathlib.Path]:
    """The policies of the first seeds of `run` as files in `folder`.

    Raises:
      RunError: when its student plays no environment.
    """
    folder.mkdir(parents=True, exist_ok=True)
    first = run.meta["first_seed"]
    return [
        runs.export_policy(runs.load_policy(run, seed), folder / f"{run.path.name}_seed{seed}.npz")
        for seed in range(first, first + min(num_seeds, run.meta["num_seeds"]))
    ]


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
    for study in options.studies:
        for run in runs_in([study]):
            tables = options.folder / "tables" / study.resolve().name / run.path.name
            print(keep_tables(run, tables).path)
            for path in keep_policies(run, options.folder / "policies", options.seeds):
                print(path)


if __name__ == "__main__":
    main()
