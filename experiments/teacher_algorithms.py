"""What studies of the teacher algorithms of 2019 found: a figure and a table of each world.

    python experiments/teacher_algorithms.py FOLDER ... [--out experiments]

Folders are studies, or tables that `keep_results.py` has kept of them. Writes a figure a world into
OUT/results, and the tables into OUT/teacher_algorithms.md. The prose there is to be read again.
"""

from __future__ import annotations

import argparse
import itertools
import pathlib
from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib import ticker
from matplotlib.figure import Figure
from pages import print_written, refresh

from jaxcurriculum.report.conditions import Condition, conditions_of, last_steps, world
from jaxcurriculum.report.learning_curves import curve_of
from jaxcurriculum.report.reading import Record, read_all, runs_in
from jaxcurriculum.report.results import Row, place_of, result_rows
from jaxcurriculum.report.style import COLOURS, STYLE
from jaxcurriculum.report.tables import markdown_table

EXPERIMENTS = pathlib.Path(__file__).parent
TEACHERS: dict[str, str] = dict(
    zip(("random", "oracle", "riac", "covar-gmm", "alp-gmm"), ("0.55", *COLOURS))
)
DEFAULT = "stump-tracks"
# % mastered after 20 million steps of SAC, as a third party quotes the paper (body and heights are
# not stated)
PUBLISHED = {"random": "18.2", "riac": "32.1", "covar-gmm": "33.3", "alp-gmm": "39.6 ± 9.6"}
PLAIN = {"env.body": "default", "env.max_stump_height": 3.0}  # what a world's name need not say


def by_world(records: Sequence[Record]) -> dict[str, list[Record]]:
    """The runs in each world, by its name: "stump-tracks, body short"."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        told = {name: record.config.get(name, plain) for name, plain in PLAIN.items()}
        words = [
            f"{name.removeprefix('env.').replace('_', ' ')} {value}"
            for name, value in told.items()
            if value != PLAIN[name]
        ]
        groups.setdefault(", ".join([world(record), *words]), []).append(record)
    return groups


def in_order(conditions: Sequence[Condition]) -> list[Condition]:
    """The teachers as the paper has them, random first.

    Raises:
      SystemExit: when there is another one.
    """
    names = [*TEACHERS]
    if others := [one.name for one in conditions if one.config["teacher"] not in names]:
        raise SystemExit(f"{others[0]} is none of the paper's teachers, {', '.join(names)}.")
    return sorted(conditions, key=lambda one: names.index(one.config["teacher"]))


def against(conditions: Sequence[Condition], teacher: str, steps: int) -> dict[str, Row]:
    """The results of each condition, by its name, compared with those of `teacher`."""
    first = [one for one in conditions if one.config["teacher"] == teacher]
    others = [one for one in conditions if one.config["teacher"] != teacher]
    return {row.condition: row for row in result_rows([*first, *others], steps)} if first else {}


def table(conditions: Sequence[Condition], is_published: bool) -> str:
    """% mastered at the end, and whether random and ALP-GMM differ from it."""
    steps = last_steps(conditions)
    rows = {name: against(conditions, name, steps) for name in ("random", "alp-gmm")}
    texts = []
    for condition in conditions:
        own = result_rows([condition], steps)[0]
        text = {
            "teacher": condition.name,
            "% mastered": f"{own.mastered:.1f} ± {own.mastered_sd:.1f}",
            "each seed": _each(condition, steps),
            "IQM": f"{own.mastered_iqm:.1f}",
            "95 % interval": f"{own.mastered_iqm_low:.1f} to {own.mastered_iqm_high:.1f}",
        }
        for baseline, compared in rows.items():
            text[f"p against {baseline}: Welch's, permutation"] = _p_values(
                compared.get(condition.name)
            )
        text["seconds a seed"] = f"{60 * condition.minutes / condition.num_seeds:,.0f}"
        if is_published:
            text["published, SAC"] = PUBLISHED.get(condition.config["teacher"], "")
        texts.append(text)
    return f"After {steps:,} steps a seed:\n\n{markdown_table(texts)}"


def _each(condition: Condition, steps: int) -> str:
    mastered = condition.mastered[place_of(condition, steps)]
    return ", ".join(f"{value:.0f}" for value in mastered)


def _p_values(row: Row | None) -> str:
    """Nothing for the baseline itself, and where it is not there."""
    if row is None or np.isnan(row.permutation_p):
        return ""
    values = (row.welch_p, row.permutation_p)
    # Welch's test needs seeds that differ
    return ", ".join("none" if np.isnan(value) else f"{value:.2g}" for value in values)


def figure(conditions: Sequence[Condition]) -> Figure:
    """% mastered against environment steps, and against the minutes that a core was at work."""
    drawn = Figure(figsize=(10, 4.3), layout="constrained")
    drawn.suptitle("interquartile mean over seeds, with its 95 % bootstrap interval", fontsize=11)
    left, right = drawn.subplots(1, 2, sharey=True)
    for condition in conditions:
        minutes = condition.minutes / condition.num_seeds
        spent = minutes * condition.steps / condition.steps[-1]  # at one pace
        middle, low, high = curve_of(condition.mastered)
        colour = TEACHERS[condition.config["teacher"]]
        label = f"{condition.name} ({condition.num_seeds} seeds)"
        for ax, x in ((left, condition.steps), (right, spent)):
            ax.fill_between(x, low, high, color=colour, alpha=0.13, linewidth=0)
            ax.plot(x, middle, color=colour, linewidth=2, label=label)
    left.set(xlabel="environment steps a seed", ylabel="test tasks mastered (%)")
    left.xaxis.set_major_formatter(ticker.EngFormatter(sep=" "))
    right.set(xlabel="minutes of a core a seed")
    for ax in (left, right):
        ax.set(xlim=(0, None), ylim=(0, None))
        ax.grid(alpha=0.25)
    handles, labels = left.get_legend_handles_labels()
    drawn.legend(handles, labels, frameon=False, loc="outside lower center", ncols=3)
    return drawn


def section(name: str, conditions: Sequence[Condition], picture: pathlib.Path) -> str:
    """A world: its figure, its table, and what computed it."""
    shown = f"![{name}: test tasks mastered over training]({picture.as_posix()})"
    records = list(itertools.chain(*(condition.records for condition in conditions)))
    revisions = ", ".join(sorted({str(record.meta["git_revision"])[:8] for record in records}))
    seconds = sum(record.meta["wall_seconds"] for record in records)
    made = f"{seconds / 3600:.1f} hours of a core at revision {revisions}"
    ends = table(conditions, name == DEFAULT)
    return f"### {name}\n\n{shown}\n\n{ends}\n{made}.\n"


def write(folders: Sequence[pathlib.Path], out: pathlib.Path) -> list[pathlib.Path]:
    """The figures and the tables of all that the runs in `folders` found. Returns their paths."""
    records, faults = read_all(runs_in(folders))
    for fault in faults:
        print(fault)
    sections, paths = [], [out / "teacher_algorithms.md"]
    for name, group in sorted(by_world(records).items(), key=lambda one: one[0] != DEFAULT):
        conditions, _ = conditions_of(group)
        ordered = in_order(conditions)
        picture = pathlib.Path("results") / f"teacher_algorithms_{_file_name(name)}.png"
        with matplotlib.rc_context(STYLE):
            figure(ordered).savefig(out / picture, dpi=110)
        sections.append(section(name, ordered, picture))
        paths.append(out / picture)
    refresh(paths[0], pathlib.Path(__file__).name, "\n".join(sections))
    return paths


def _file_name(world: str) -> str:
    return world.replace(",", "").replace(" ", "_").replace("-", "_").replace(".", "_")


def main() -> None:
    """Read the folders, and write what they hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", type=pathlib.Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--out", type=pathlib.Path, default=EXPERIMENTS)
    options = parser.parse_args()
    print_written(lambda: write(options.folders, options.out))


if __name__ == "__main__":
    main()
