"""The report of a study: tables, figures and a page, made from the files of its runs."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
from rich.console import Console

from jaxcurriculum.report import lifelong_table
from jaxcurriculum.report.conditions import (
    Condition,
    by_tests,
    conditions_of,
    last_steps,
    world,
)
from jaxcurriculum.report.content import content
from jaxcurriculum.report.curriculum_film import belief_film, film_of
from jaxcurriculum.report.learning_curves import (
    best_of,
    improvements,
    learning_curves,
    profiles,
)
from jaxcurriculum.report.reading import Record, read_all, runs_in
from jaxcurriculum.report.results import (
    Row,
    console_table,
    limits,
    result_rows,
    unknown_probes,
    written,
)
from jaxcurriculum.report.study_page import study_page
from jaxcurriculum.report.style import STYLE
from jaxcurriculum.report.tables import Texts, csv_table, markdown_table
from jaxcurriculum.report.to_come import listed, still_to_come
from jaxcurriculum.report.walks import walks_of
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.files import naming, write_file

MOST_FILMS = 12
MOST_FILMS_EACH = 4  # of one condition


def report(
    folders: Sequence[pathlib.Path], out: pathlib.Path | None, walks: bool, console: Console
) -> list[pathlib.Path]:
    """Report on the runs in `folders`: print the table, write tables, figures and a page into
    `out`. Returns their paths, the page first.

    Args:
      folders: studies, folders of runs, or runs.
      out: by default the folder `report` in the study, or of several folders here.
      walks: also play students of the conditions, which compiles their world.

    Runs that were not tested on the same tasks, as those of several worlds, are reported apart, in
    a folder each.

    Raises:
      RunError: when there is no run, none can be read, or they were never tested at the same number
          of steps.
    """
    records, faults = read_all(runs_in(folders))
    faults = [*still_to_come(folders), *faults]
    folder = out or (folders[0] if len(folders) == 1 else pathlib.Path()) / "report"
    title = ", ".join(given.resolve().name for given in folders)
    groups = by_tests(records)
    if len(groups) == 1:
        return report_on(records, folder, title, faults, walks, console)
    paths = []
    for name, group in zip(group_names(groups), groups):
        whole = f"{title}: {name}"
        paths += report_on(group, folder / name, whole, faults, walks, console)
    return paths


def group_names(groups: Sequence[Sequence[Record]]) -> list[str]:
    """The world of each group, with a number where a world has several test sets."""
    worlds = [re.sub(r"[^\w.-]", "-", world(group[0])) for group in groups]
    return [
        name if worlds.count(name) == 1 else f"{name}-{worlds[:place].count(name) + 1}"
        for place, name in enumerate(worlds)
    ]


def report_on(
    records: Sequence[Record],
    folder: pathlib.Path,
    title: str,
    faults: Sequence[str],
    walks: bool,
    console: Console,
) -> list[pathlib.Path]:
    """`report` on runs that were tested on the same tasks; `faults` are of what is not among
    them.
    """
    conditions, repeated = conditions_of(records)
    notes = [*faults, *repeated, *unfinished(conditions), *kept_in_part(conditions)]
    steps = last_steps(conditions)
    rows = result_rows(conditions, steps)
    best = best_of(conditions, rows)
    notes += unknown_probes(conditions, rows)
    films, unseen = films_of(conditions, best)
    played, unplayed = walks_of(best) if walks else ([], [])
    notes += unseen + unplayed + limits([row.seeds for row in rows])
    with naming(folder):
        folder.mkdir(parents=True, exist_ok=True)
    results = [written(row) for row in rows]
    metrics = lifelong_table.lifelong_rows(best)
    measured = [lifelong_table.written(row) for row in metrics]
    shown = content(title, conditions, rows, films, played)
    page = folder / "index.html"
    write_text(page, study_page(shown, results, measured, notes))
    tables = {"results": (results, rows)} | ({"lifelong": (measured, metrics)} if metrics else {})
    paths = [page, *write_tables(folder, tables), *write_figures(folder, best, rows, steps)]
    console.print(console_table(rows, records[0].meta["step_unit"]))
    for note in notes:
        console.print(note, highlight=False, soft_wrap=True)
    return paths


def unfinished(conditions: Sequence[Condition]) -> list[str]:
    """A sentence on each run that is not at its end."""
    return [
        f"{record.run.path} is not finished: it has {len(record.steps):,} of"
        f" {record.planned:,} evaluations."
        for condition in conditions
        for record in condition.records
        if not record.is_finished
    ]


def kept_in_part(conditions: Sequence[Condition]) -> list[str]:
    """A sentence on all conditions without reports, and one on all whose episodes are thinned."""
    lacking = [one.name for one in conditions if not one.has_reports]
    thinned = [one.name for one in conditions if one.is_thinned]
    notes = []
    if lacking:
        unknown = "their steps on probes and the teacher's picture are not known"
        notes.append(f"Without reports, so that {unknown}: {listed(lacking)}.")
    if thinned:
        why = "films show these, and there are no lifelong metrics"
        notes.append(f"With some of their episodes only ({why}): {listed(thinned)}.")
    return notes


def films_of(
    conditions: Sequence[Condition], best: Sequence[Condition]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Films of the first seeds with episodes of the best conditions, and a sentence on each run
    without films, and on each that lacks the teacher's picture though it has reports.
    """
    each = max(1, min(MOST_FILMS_EACH, MOST_FILMS // len(best)))
    films, faults = [], []
    for index, condition in enumerate(conditions):
        if condition not in best:
            continue
        seeds, unread = seeds_with_episodes(condition, each)
        faults += unread
        for record, place in seeds:
            film = {"condition": index, "belief": None, **film_of(record, place)}
            films.append(film)
            if not record.has_reports:
                continue
            try:
                film["belief"] = belief_film(record, place)
            except RunError as error:
                faults.append(f"The films of {condition.name} lack the teacher's picture: {error}")
    return films, list(dict.fromkeys(faults))


def seeds_with_episodes(
    condition: Condition, most: int
) -> tuple[list[tuple[Record, int]], list[str]]:
    """The first seeds of a condition that have episodes, each by its run and its place there, and a
    sentence on each run whose episodes cannot be read.
    """
    seeds: list[tuple[Record, int]] = []
    faults = []
    for record in condition.records:
        if len(seeds) >= most:
            break
        try:
            here = {*record.run.episodes()["seed"].unique()}
        except RunError as error:
            faults.append(f"There are no films of {condition.name}: {error}")
            continue
        seeds += [(record, place) for place, seed in enumerate(record.seeds) if seed in here]
    return seeds[:most], faults


def write_tables(
    folder: pathlib.Path, tables: Mapping[str, tuple[Texts, Sequence[Any]]]
) -> list[pathlib.Path]:
    """Each table, by its name, as a person reads it in Markdown and with all digits in CSV."""
    paths = []
    for name, (texts, rows) in tables.items():
        for suffix, text in (("md", markdown_table(texts)), ("csv", csv_table(rows))):
            paths.append(folder / f"{name}.{suffix}")
            write_text(paths[-1], text)
    return paths


def write_figures(
    folder: pathlib.Path, conditions: Sequence[Condition], rows: Sequence[Row], steps: int
) -> list[pathlib.Path]:
    """Learning curves, profiles and probabilities of improvement, each as PNG and SVG."""
    paths = []
    with matplotlib.rc_context(STYLE):
        figures = {"learning_curves": learning_curves(conditions)}
        figures["profiles"] = profiles(conditions, steps)
        if len(rows) > 1:
            figures["improvements"] = improvements(rows)
        for name, figure in figures.items():
            for suffix in ("png", "svg"):
                path = folder / f"{name}.{suffix}"
                with naming(path):
                    figure.savefig(path)
                paths.append(path)
    return paths


def write_text(path: pathlib.Path, text: str) -> None:
    """Write `text` to `path`, atomically."""
    write_file(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
