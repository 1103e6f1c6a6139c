"""Runs that differ in nothing but their seeds, taken together, and what tells them apart."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxcurriculum.report.reading import Record
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.store import differ
from jaxcurriculum.runs.test_tasks import different_tasks

SEEDING = ("seeds", "seed", "group")  # settings in which runs of one condition may differ


@dataclasses.dataclass(frozen=True, eq=False)
class Condition:
    """What was done to some seeds: a teacher, a student, a world and all their settings."""

    name: str
    records: tuple[Record, ...]

    @property
    def config(self) -> dict[str, Any]:
        return self.records[0].config

    @property
    def is_finished(self) -> bool:
        return all(record.is_finished for record in self.records)

    @property
    def has_reports(self) -> bool:
        return all(record.has_reports for record in self.records)

    @property
    def is_thinned(self) -> bool:
        return any(record.is_thinned for record in self.records)

    @property
    def num_seeds(self) -> int:
        return sum(record.num_seeds for record in self.records)

    @property
    def minutes(self) -> float:
        return sum(record.meta["wall_seconds"] for record in self.records) / 60

    @property
    def steps(self) -> np.ndarray:
        """After how many steps all of its seeds were evaluated, [evaluations]."""
        return min((record.steps for record in self.records), key=len)

    def joined(self, name: str) -> np.ndarray:
        """The array `name` of all its records, [seeds, evaluations, ...]."""
        num = len(self.steps)
        return np.concatenate([getattr(record, name)[:, :num] for record in self.records])

    @property
    def mastered(self) -> np.ndarray:
        """% of the test tasks mastered, [evaluations, seeds]."""
        return 100 * self.joined("solved").mean(2).T

    @property
    def returns(self) -> np.ndarray:
        """The mean test return, [evaluations, seeds]."""
        return self.joined("returns").mean(2).T

    def probe_steps(self, evaluation: int) -> np.ndarray:
        """What the teacher spent on probing the student until an evaluation, [seeds].

        Raises:
          RunError: when a file that says it is missing or damaged.
        """
        return np.concatenate([record.probe_steps(evaluation) for record in self.records])


def conditions_of(records: Sequence[Record]) -> tuple[list[Condition], list[str]]:
    """`records` by condition, and a sentence on each that repeats seeds of another.

    The first condition is the one that others are compared with: of the random teacher where there
    is one.
    """
    sharing: dict[str, list[Record]] = {}
    repeated = []
    for record in records:
        mine = {name: value for name, value in record.config.items() if name not in SEEDING}
        others = sharing.setdefault(repr(mine), [])
        known = {seed: other for other in others for seed in other.seeds}
        if twice := [seed for seed in record.seeds if seed in known]:
            same = known[twice[0]].run.path
            repeated.append(f"{record.run.path} is left out: {same} has its seed {twice[0]}.")
            continue
        others.append(record)
    groups = [tuple(group) for group in sharing.values()]
    names = condition_names([group[0].config for group in groups])
    found = []
    for name, group in zip(names, groups):
        is_clear = names.count(name) == 1  # not where a run knows settings that another does not
        told = name if is_clear else f"{name} ({group[0].run.path.resolve().name})"
        found.append(Condition(told, group))
    return sorted(found, key=lambda one: one.config["teacher"] != "random"), repeated


def condition_names(configs: Sequence[dict[str, Any]]) -> list[str]:
    """What to call each condition: its teacher, and the settings that tell it from the others.

    >>> plain = {"teacher": "alp-gmm", "env.body": "short", "teacher.history": 100}
    >>> condition_names([plain, plain | {"teacher.history": 200}, {"teacher": "random"}])
    ['alp-gmm, history 100', 'alp-gmm, history 200', 'random']
    """
    everywhere = set.intersection(*(set(config) for config in configs)) - {"teacher"}
    shared = _differing(configs, everywhere)
    by_teacher: dict[str, list[dict[str, Any]]] = {}
    for config in configs:
        by_teacher.setdefault(config["teacher"], []).append(config)
    own = {teacher: _differing(alike, set(alike[0])) for teacher, alike in by_teacher.items()}
    names = []
    for config in configs:
        told = [name for name in config if name in shared | own[config["teacher"]]]
        words = [f"{name.rpartition('.')[2].replace('_', ' ')} {config[name]}" for name in told]
        names.append(", ".join([config["teacher"], *words]))
    return names


def _differing(configs: Sequence[dict[str, Any]], names: set[str]) -> set[str]:
    first = configs[0]
    known = names - {*SEEDING}
    return {name for name in known if any(differ(one.get(name), first[name]) for one in configs)}


def named_by_run(records: Sequence[Record]) -> list[Condition]:
    """A condition for each of `records`, named after its folder, and its teacher where these
    differ.
    """
    own = [record.run.path.resolve().name for record in records]
    teachers = [record.config["teacher"] for record in records]
    differ = len(set(teachers)) > 1
    named = []
    for record, name, teacher in zip(records, own, teachers):
        shown = str(record.run.path) if own.count(name) > 1 else name
        label = f"{shown}: {teacher}" if differ and name != teacher else shown
        named.append(Condition(label, (record,)))
    return named


def check_comparable(records: Sequence[Record]) -> None:
    """Check that the runs answer the same question: the same test tasks in the same world.

    Raises:
      RunError: naming what differs.
    """
    first, *others = records
    for record in others:
        if difference := different_tests(first, record):
            paths = f"{record.run.path} cannot be compared with {first.run.path}"
            raise RunError(f"{paths}: {difference}.")


def by_tests(records: Sequence[Record]) -> list[list[Record]]:
    """`records` in groups that were tested on the same tasks."""
    groups: list[list[Record]] = []
    for record in records:
        alike = (group for group in groups if different_tests(group[0], record) is None)
        group = next(alike, None)
        if group is None:
            groups.append([record])
        else:
            group.append(record)
    return groups


def different_tests(one: Record, other: Record) -> str | None:
    """In what the tests of two runs differ; None where they are the same."""
    if world(one) != world(other):
        return f"its tasks are of {world(other)}, not of {world(one)}"
    return different_tasks(one.test_tasks, other.test_tasks)


def world(record: Record) -> str:
    """What the test tasks of a run are of: its environment, or the simulated student.

    One that a challenge makes harder is the same, by whatever name the run knows it.
    """
    known = record.meta.get("world") or record.config["env"] or record.config["student"]
    return known.partition(",")[0]


def differing_settings(conditions: Sequence[Condition]) -> list[str]:
    """Names of the settings in which conditions differ, but for a teacher's own, that another
    teacher does not have.
    """
    first, *others = (condition.config for condition in conditions)
    shared = [name for name in first if all(name in config for config in others)]
    return [name for name in shared if any(differ(first[name], other[name]) for other in others)]


def last_steps(conditions: Sequence[Condition]) -> int:
    """The steps of the shortest of the conditions that are finished (of all, where none is): all
    are compared at their last evaluation by then.

    Raises:
      RunError: when one was not evaluated before another ended.
    """
    asked = [one for one in conditions if one.is_finished] or conditions
    shortest = min(asked, key=lambda one: one.steps[-1])
    last = int(shortest.steps[-1])
    for one in asked:
        if one.steps[0] > last:
            raise RunError(
                f"{one.name} was first evaluated after {one.steps[0]:,} steps, but"
                f" {shortest.name} ended after {last:,}: evaluate it more often."
            )
    return last


def plain(name: str) -> str:
    """`name` as matplotlib shows it, which reads formulas and hides what begins with "_"."""
    return re.sub("^_", " _", name.replace("$", r"\$"))
