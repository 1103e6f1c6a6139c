"""The cells of a study: every combination of its axes, under a name that files can have."""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import itertools
import math
import re
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jaxcurriculum.cli.settings import Parameter, Settings, parameters
from jaxcurriculum.cli.tables import CHALLENGES, ENVIRONMENTS, STUDENTS, TEACHERS
from jaxcurriculum.cli.tables.listing import LOOP
from jaxcurriculum.cli.tables.own import own
from jaxcurriculum.cli.tables.parts import EnvironmentPart, Part, StudentPart
from jaxcurriculum.cli.tables.students import FEEDS
from jaxcurriculum.configs import alternatives, check_field
from jaxcurriculum.runs.amounts import counted
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.study.study import AXES, Study, StudyError
from jaxcurriculum.teachers.knowledge import LEVELS

TABLES: dict[str, Mapping[str, Any]] = {
    "env": ENVIRONMENTS,
    "student": STUDENTS,
    "learner": {},
    "teacher": TEACHERS,
    "challenge": CHALLENGES,
    "knowledge": dict.fromkeys(LEVELS),
}
MOST_LANES = 1_000_000  # curricula of a study, which are listed one by one
LONGEST = 120  # letters of a name; some file systems end at 143
UNSAFE = re.compile(r"[^\w.=+-]+")


@dataclasses.dataclass(frozen=True)
class Cell:
    """One combination: a run with all its seeds."""

    name: str
    settings: Settings


def cells_of(study: Study) -> list[Cell]:
    """Every combination of the axes of `study`, in the order in which it names them.

    Raises:
      StudyError: for a name that is none, and for a setting that no part has.
      RunError: when there are too many to list.
    """
    _check_names(study)
    settings = _settings_by_part(study)
    combinations = [(parts, _axes_of(parts, settings)) for parts in _combinations(study)]
    _check_number(study, [axes for _, axes in combinations])
    cells = {}
    for parts, named in combinations:
        for values in itertools.product(*[axis.values for _, axis in named]):
            fields = {f"{part}.{axis.field}": value for (part, axis), value in zip(named, values)}
            varied = [(part, axis, value) for (part, axis), value in zip(named, values)]
            name = _file_name(parts, [one for one in varied if one[1].is_axis])
            settings = Settings(
                **parts,
                seeds=study.seeds,
                seed=study.seed,
                steps=study.steps,
                evaluate_every=study.evaluate_every,
                test_set=study.test_set,
                fields=fields,
            )
            cells.setdefault(name, Cell(name, settings))
    return list(cells.values())


@dataclasses.dataclass(frozen=True)
class Axis:
    """The values of one setting."""

    field: str
    values: tuple[Any, ...]
    is_axis: bool  # else it has this one value in every cell


def _combinations(study: Study) -> Iterator[dict[str, Any]]:
    """The names of the parts of each combination, by what the command line calls them."""
    for student in study.students:
        plays = STUDENTS[student].needs_environment
        envs = (study.envs or (next(iter(ENVIRONMENTS)),)) if plays else (None,)
        learners = (study.learners or (None,)) if student in FEEDS else (None,)
        rest = (learners, study.teachers, study.challenges, study.knowledge or (None,))
        for env, learner, teacher, challenge, level in itertools.product(envs, *rest):
            yield {
                "env": env,
                "student": student,
                "learner": learner,
                "teacher": teacher,
                "challenge": challenge,
                "knowledge": level,
            }


def _axes_of(
    parts: Mapping[str, str | None], settings: Mapping[str, list[Axis]]
) -> list[tuple[str, Axis]]:
    """Each setting of these `parts`, beside the kind of its part."""
    chosen = [*parts.items(), ("loop", "loop")]
    return [(kind, axis) for kind, name in chosen if name for axis in settings.get(name, ())]


def _check_number(study: Study, axes: list[list[tuple[str, Axis]]]) -> None:
    """Check that a study is not too large; `axes` are those of each combination of parts."""
    num = sum(math.prod(len(axis.values) for _, axis in one) for one in axes)
    if num * study.seeds > MOST_LANES:
        asked = f"{counted(num, 'combination')} of {study.seeds:,} seeds"
        raise StudyError(
            f"A study may have at most {MOST_LANES:,} curricula, not {asked}.", ("seeds",)
        )


def _check_names(study: Study) -> None:
    for axis, kind in AXES.items():
        for name in getattr(study, axis):
            if ":" not in name or kind not in ("env", "learner", "teacher"):
                check_name(kind, name, TABLES[kind], (axis,))
    suits = {
        "envs": ("plays one", {name for name in STUDENTS if STUDENTS[name].needs_environment}),
        "learners": ("takes one", {*FEEDS}),
    }
    for axis, (does, those) in suits.items():
        if getattr(study, axis) and not those & {*study.students}:
            none = f"no student of the study {does} ({', '.join(study.students)})"
            raise StudyError(f"{axis}: {none}; leave {axis} away.", (axis,))


def _settings_by_part(study: Study) -> dict[str, list[Axis]]:
    """The settings of each part that the study sets, by its name.

    Raises:
      StudyError: for a part that is not in the study, and for a setting that it does not have.
    """
    known = _parts(study)
    _check_test_set(study, known)
    axes = {}
    for part, settings in study.settings.items():
        check_name("part", part, known, (part,), " in this study")
        fields = {each.name: each for each in parameters(known[part].config)}
        axes[part] = []
        for name, value in settings.items():
            if (part, name) == ("loop", "rounds_per_evaluation"):
                raise StudyError(
                    f"loop.{name} follows from evaluate_every: give that.", (part, name)
                )
            check_name(f"setting of {part}", name, fields, (part, name))
            axes[part].append(axis := _axis(part, fields[name], value))
            _check_values(known[part].config, part, axis)
    return axes


def _parts(study: Study) -> dict[str, Part]:
    """Every part that the study names, and the world that it plays where it names none."""
    parts: dict[str, Part] = {"loop": LOOP}
    for axis, kind in AXES.items():
        for name in getattr(study, axis):
            if kind != "knowledge" and name != "none":
                parts[name] = _own(axis, kind, name) if ":" in name else TABLES[kind][name]
    for student in study.students:
        if STUDENTS[student].needs_environment and not study.envs:
            parts[next(iter(ENVIRONMENTS))] = next(iter(ENVIRONMENTS.values()))
    return parts


def _own(axis: str, kind: str, name: str) -> Part:
    try:
        return own(name, kind, asked=name).part
    except RunError as error:
        raise StudyError(str(error), (axis,), name) from None


def _check_test_set(study: Study, parts: Mapping[str, Part]) -> None:
    """Check that every world, and every student that plays none, has the tests that are asked."""
    for name, part in parts.items():
        plays = name in STUDENTS and STUDENTS[name].needs_environment
        if study.test_set and isinstance(part, EnvironmentPart | StudentPart) and not plays:
            key, sets = ("test_set",), part.test_sets
            check_name("test set", study.test_set, sets, key, f" of {name}")


def _check_values(config: Any, part: str, axis: Axis) -> None:
    """Check each value by the type and the bounds that `config` declares for it."""
    *sections, name = axis.field.split(".")
    for section in sections:
        config = getattr(config, section)
    for value in axis.values:
        try:
            check_field(type(config), name, value)
        except ValueError as error:
            raise StudyError(f"{part}: {error}", (part, axis.field)) from None


def _axis(part: str, field: Parameter, value: Any) -> Axis:
    """A list is an axis; of a field that holds several numbers, a list of lists is."""
    value = tuple(value) if isinstance(value, list) else value
    several = any(typing.get_origin(kind) is tuple for kind in alternatives(field.type))
    is_list = isinstance(value, tuple)
    is_axis = is_list and (not several or any(isinstance(one, list | tuple) for one in value))
    if is_axis and not value:
        raise StudyError(f"{part}.{field.name} is empty: give a value.", (part, field.name))
    values = value if is_axis else (value,)
    values = tuple(tuple(one) if isinstance(one, list) else one for one in values)
    if twice := [one for one in values if values.count(one) > 1]:
        raise StudyError(f"{part}.{field.name} has {twice[0]!r} twice.", (part, field.name))
    return Axis(field.name, values, is_axis)


def check_name(
    kind: str, name: str, known: Iterable[str], key: tuple[str, ...], where: str = ""
) -> None:
    """Check that there is a `kind` called `name`.

    Raises:
      StudyError: naming those that are like it, or all.
    """
    known = list(known)
    if name in known:
        return
    near = difflib.get_close_matches(name, known, 3) or known
    words = (
        f"did you mean {' or '.join(near)}?" if near != known else f"there are {', '.join(near)}."
    )
    if not known:
        words = "there are none."
    raise StudyError(f"there is no {kind} {name!r}{where}; {words}", key, name)


def _file_name(parts: Mapping[str, Any], varied: list[tuple[str, Axis, Any]]) -> str:
    """What a combination is called: "toy-grid_alp-gmm_exploration=0.1"."""
    shown = {**parts, "challenge": None if parts["challenge"] == "none" else parts["challenge"]}
    words = [name for kind, name in shown.items() if name is not None and kind != "knowledge"]
    words += [f"knowledge={level}" for level in (parts["knowledge"],) if level is not None]
    fields = [axis.field for _, axis, _ in varied]
    for part, axis, value in varied:
        field = axis.field if fields.count(axis.field) == 1 else f"{part}.{axis.field}"
        words.append(f"{field}={_text(value)}")
    full = "_".join(words)
    safe = UNSAFE.sub("-", full)
    if safe == full and len(safe) <= LONGEST:
        return safe
    digest = hashlib.sha256(full.encode()).hexdigest()[:8]
    return f"{safe[:LONGEST]}_{digest}"


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "x".join(map(_text, value))
    is_short = isinstance(value, float) and float(f"{value:g}") == value
    return f"{value:g}" if is_short else str(value)
