"""A run on disk: a folder of plain files from which everything after training is made.

    runs/NAME/  config.json  the settings, and all configurations that follow from them
                meta.json    versions, device, git revision, wall time; axes, step unit, sizes
                episodes/part-*.parquet     one row an episode
                evaluations/part-*.parquet  one row a (seed, evaluation, test task), and attempt
                reports/evaluation-*.npz    what teacher and student report at each evaluation
                checkpoints/  figures/

A file is written under a temporary name, flushed to the disk and renamed: neither a reader nor a
resumed run meets half a file.
"""

from __future__ import annotations

import dataclasses
import io
import json
import pathlib
import zipfile
import zlib
from collections.abc import Collection
from typing import Any

import numpy as np
import polars as pl

from jaxcurriculum.records import PyTree
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.files import naming, write_file
from jaxcurriculum.spaces import Space

CONFIG = (
    "env",
    "teacher",
    "student",
    "seeds",
    "seed",
    "steps",
    "group",
)  # what each config.json has
META = (
    "axes",
    "step_unit",
    "steps_per_round",
    "rounds_per_evaluation",
    "num_seeds",
    "first_seed",
    "evaluations_done",
    "wall_seconds",
)
AXES = ("names", "units", "low", "high")
# what NumPy and zipfile raise where the bytes of an npz file are wrong
BROKEN = (ValueError, TypeError, EOFError, RuntimeError, zlib.error, zipfile.BadZipFile)
# a smaller part is rewritten rather than followed: a short Parquet file is mostly header
ROWS_PER_PART = 50_000


# The columns of a run's tables that no task axis may take.
RESULTS = ("seed", "round", "evaluation", "steps", "test_task", "origin", "return", "length")
RESULTS += ("solved", "learner")


def task_columns(space: Space, tasks: PyTree) -> dict[str, np.ndarray]:
    """`tasks` ([num, ...]) as the columns of a run's tables, one an axis.

    An axis that is called as a result is, like a pole's length, is called "task_length" there.
    """
    columns = space.columns(tasks)
    return {f"task_{name}" if name in RESULTS else name: it for name, it in columns.items()}


def title(config: dict[str, Any]) -> str:
    """Who teaches whom, from a run's config.json.

    >>> title({"teacher": "riac", "student": "toy-grid", "challenge": "rugged"})
    'riac teaching toy-grid (rugged)'
    """
    challenge = config.get("challenge", "none")
    harder = "" if challenge == "none" else f" ({challenge})"
    return f"{config['teacher']} teaching {config.get('learner') or config['student']}{harder}"


def differ(one: Any, other: Any) -> bool:
    """Whether two settings are not the same, as config.json has them; there nan is nan.

    >>> differ({"scale": [float("nan")]}, {"scale": [float("nan")]}), differ(1, 2), differ(1, 1.0)
    (False, True, False)
    """
    return one != other and json.dumps(one) != json.dumps(other)


@dataclasses.dataclass(frozen=True)
class Run:
    """The files of one run, read; `path` is its folder, as a path or as text."""

    path: pathlib.Path

    def __post_init__(self):
        object.__setattr__(self, "path", pathlib.Path(self.path))

    @property
    def exists(self) -> bool:
        return (self.path / "config.json").exists()

    @property
    def config(self) -> dict[str, Any]:
        return self._read_json("config.json", CONFIG)

    @property
    def meta(self) -> dict[str, Any]:
        meta = self._read_json("meta.json", META)
        for key in AXES:
            if not isinstance(meta["axes"], dict) or key not in meta["axes"]:
                raise RunError(f"{self.path / 'meta.json'} is damaged: its axes have no {key!r}.")
        return meta

    @property
    def figures(self) -> pathlib.Path:
        """The folder of the figures, made if need be."""
        folder = self.path / "figures"
        folder.mkdir(exist_ok=True)
        return folder

    def episodes(self) -> pl.DataFrame:
        """Columns seed, round, one a task axis, origin, return, length (in steps), solved; in
        the order of training within a seed.
        """
        return self._read_table("episodes")

    def evaluations(self) -> pl.DataFrame:
        """Columns seed, evaluation, steps (trained before it), test_task, one a task axis,
        return, length, solved. Of a population those of its first learner, who is shown, too.
        """
        return of_first_learner(self.all_evaluations())

    def all_evaluations(self) -> pl.DataFrame:
        """`evaluations` of every learner of a population, with a column learner."""
        return self._read_table("evaluations")

    def mastered(self) -> tuple[np.ndarray, np.ndarray]:
        """Steps [evaluations], and % of the test tasks mastered [evaluations, seeds]."""
        by_seed = self.evaluations().group_by("steps", "seed")
        table = by_seed.agg(pl.col("solved").mean() * 100).sort("steps", "seed")
        steps = np.unique(table["steps"])
        return steps, table["solved"].to_numpy().reshape(len(steps), -1)

    def reports(self) -> dict[str, np.ndarray]:
        """Arrays by name ("teacher.means", "student.loss", ...), each [evaluations, seeds, ...]."""
        files = [
            read_report(path) for path in sorted((self.path / "reports").glob("evaluation-*.npz"))
        ]
        return {
            name: np.stack([file[name] for file in files]) for name in (files[0] if files else ())
        }

    def _read_json(self, name: str, needed: tuple[str, ...]) -> dict[str, Any]:
        path = self.path / name
        try:
            with naming(path):
                content = json.loads(path.read_text())
        except (FileNotFoundError, NotADirectoryError):
            raise self._is_none(name) from None
        except ValueError as error:
            raise RunError(f"{path} is damaged: {error}.") from None
        missing = [key for key in needed if not isinstance(content, dict) or key not in content]
        if missing:
            raise RunError(f"{path} is not one of a run of this program: it has no {missing[0]!r}.")
        return content

    def _is_none(self, missing: str) -> RunError:
        """What to raise where the file `missing` says that there is no run; of a study it names
        one.
        """
        told = f"{self.path} holds no run: it has no {missing}."
        if of_study := min(self.path.glob("runs/[!.]*/config.json"), default=None):
            told += f" It is a study: name one of its runs, such as {of_study.parent}."
        return RunError(told)

    def _read_table(self, name: str) -> pl.DataFrame:
        parts = sorted((self.path / name).glob("part-*.parquet"))
        if not self.exists:
            raise self._is_none("config.json")
        if not parts:
            raise RunError(
                f"{self.path} holds no {name}: they were removed, or nothing was saved before it"
                " stopped."
            )
        return pl.concat([read_part(part) for part in parts])


def of_first_learner(tests: pl.DataFrame) -> pl.DataFrame:
    """`all_evaluations` without those of other learners, whom runs were once not told apart by."""
    if "learner" not in tests.columns:
        return tests
    return tests.filter(pl.col("learner") == 0).drop("learner")


def run_at(run: Run | str | pathlib.Path) -> Run:
    """`run`, or the run in the folder that it names."""
    return run if isinstance(run, Run) else Run(pathlib.Path(run))


class Table:
    """Rows appended to `folder/part-*.parquet`; only the last part, the open one, is ever
    rewritten.
    """

    def __init__(self, folder: pathlib.Path):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.number = 0
        self.open = pl.DataFrame()

    def append(self, rows: pl.DataFrame) -> None:
        """Add `rows` to the open part, and close it when it is full."""
        self._write(self.number, pl.concat([self.open, rows]) if len(self.open) else rows)

    def check(self) -> None:
        """Read every part, so that a damaged one is found (a RunError) before anything is
        changed.
        """
        for path in self.folder.glob("part-*.parquet"):
            read_part(path)

    def keep(self, condition: pl.Expr) -> None:
        """Remove every row that does not meet `condition`; what is appended next follows the
        rows that do.
        """
        self.number, self.open = 0, pl.DataFrame()
        for path in sorted(self.folder.glob("part-*.parquet")):
            kept = read_part(path).filter(condition)
            if kept.is_empty():
                path.unlink()
            else:
                self._write(int(path.stem.removeprefix("part-")), kept)

    def _write(self, number: int, rows: pl.DataFrame) -> None:
        # polars takes a path for a pattern, and a full disk for its own fault
        content = parquet(rows)
        path = self.folder / f"part-{number:08d}.parquet"
        write_file(path, lambda temporary: temporary.write_bytes(content))
        is_full = len(rows) >= ROWS_PER_PART
        self.number, self.open = (number + 1, pl.DataFrame()) if is_full else (number, rows)


def parquet(rows: pl.DataFrame) -> memoryview:
    """`rows` as the content of a Parquet file."""
    content = io.BytesIO()
    rows.write_parquet(content, compression="zstd", statistics=False)
    return content.getbuffer()


def read_part(path: pathlib.Path) -> pl.DataFrame:
    """The rows of one Parquet file.

    Raises:
      RunError: when the file is damaged.
    """
    with naming(path):
        content = path.read_bytes()
    try:
        return pl.read_parquet(content)
    except pl.exceptions.PolarsError as error:
        raise RunError(f"{path} is damaged: {str(error).splitlines()[0]}.") from None


def read_report(path: pathlib.Path, wanted: Collection[str] | None = None) -> dict[str, np.ndarray]:
    """The arrays of one npz file, by name; of those `wanted` alone, the ones that it has.

    Raises:
      RunError: when the file is missing or damaged.
    """
    try:
        with naming(path), open(path, "rb") as file, np.load(file) as arrays:
            return {name: arrays[name] for name in arrays if wanted is None or name in wanted}
    except FileNotFoundError:
        raise RunError(f"{path} is missing.") from None
    except BROKEN:
        raise RunError(f"{path} is damaged: its arrays cannot be read.") from None


def write_report(path: pathlib.Path, arrays: dict[str, Any]) -> None:
    """Write arrays by name as one npz file, atomically."""

    def write(path: pathlib.Path) -> None:
        with open(path, "wb") as file:
            np.savez_compressed(file, **arrays)

    write_file(path, write)
