"""From named parts and overrides to one loop that is ready to run."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from jaxcurriculum import Box, Environment, Loop, LoopConfig, Student, make_loop
from jaxcurriculum.cli.settings import Settings, override, parameters, replace
from jaxcurriculum.cli.tables import CHALLENGES, ENVIRONMENTS, STUDENTS, TEACHERS, find
from jaxcurriculum.envs import BODIES
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.teachers import informed
from jaxcurriculum.teachers.knowledge import LEVELS


@dataclasses.dataclass(frozen=True)
class Experiment:
    """A loop that is ready to run, and everything that was decided on the way."""

    environment: Environment | None
    space: Box  # of the tasks
    loop: Loop
    num_seeds: int
    first_seed: int
    group: int  # seeds batched together
    num_advances: int  # evaluations in the whole run
    config: dict[
        str, Any
    ]  # every setting and every field of every configuration, by name, as JSON gives them back


def build(settings: Settings) -> Experiment:
    """Make the parts that `settings` names and bind them into a loop.

    Raises:
      RunError: for unknown names, overrides that do not fit, and whatever a factory refuses.
    """
    settings = _settled(settings)
    parts = _parts(settings)
    changes = _changes(settings, [*parts, "loop"])
    configs = _configurations(parts, changes)
    tester = _tester(parts)
    if settings.test_set:
        find("test set", parts[tester].test_sets, settings.test_set)
    test_set, fitting = settings.test_set, []
    evaluate_every = settings.evaluate_every or parts["student"].evaluate_every
    try:
        environment, student, original = _environment_and_student(parts, configs, settings.body)
        space = _box(student)
        configs["teacher"] = override(
            _told(settings, parts, configs, original, space), "teacher", changes["teacher"]
        )
        teacher = parts["teacher"].make(space, configs["teacher"])
        rounds = max(1, round(evaluate_every / student.steps_per_round))
        configs["loop"] = dataclasses.replace(configs["loop"], rounds_per_evaluation=rounds)
        test_sets = {
            name: make(configs[tester], original) for name, make in parts[tester].test_sets.items()
        }
        fitting = _fitting(test_sets, original)
        # where none fits, the first says why
        test_set = test_set or (fitting or list(test_sets))[0]
        if test_sets[test_set].shape[-1] != original.dims:
            raise ValueError(
                f"The test_tasks {test_set} are not {original.dims} numbers:"
                f" {', '.join(original.names)}."
            )
        test_tasks = parts["challenge"].to_view(test_sets[test_set], original, configs["challenge"])
        loop = make_loop(teacher, student, test_tasks, configs["loop"])
    except ValueError as error:
        others = [name for name in fitting if name != test_set]
        hint = (
            f" Another --test-set: {', '.join(others)}."
            if others and "test_tasks" in str(error)
            else ""
        )
        raise RunError(str(error) + hint + _remedy(str(error), configs)) from error
    group = settings.group or _best_group(settings.seeds, len(jax.devices()))
    if settings.seeds % group:
        raise RunError(
            f"--group must divide --seeds, got --group {group} for --seeds {settings.seeds}."
        )
    steps = settings.steps or parts["student"].steps
    settings = dataclasses.replace(
        settings, test_set=test_set, steps=steps, evaluate_every=evaluate_every, group=group
    )
    return Experiment(
        environment=environment,
        space=space,
        loop=loop,
        num_seeds=settings.seeds,
        first_seed=settings.seed,
        group=group,
        num_advances=math.ceil(steps / loop.steps_per_advance),
        config=_named(settings, configs),
    )


def _environment_and_student(
    parts: dict[str, Any], configs: dict[str, Any], body: str | None
) -> tuple[Environment | None, Student, Box]:
    """Both as the challenge makes them, and the task space without it, of which test sets speak."""
    challenge, own = parts["challenge"], configs["challenge"]
    environment = parts["env"].make(body, configs["env"]) if "env" in parts else None
    environment = challenge.wrap_environment(environment, own)
    student = parts["student"].make(environment, configs["student"])
    return environment, challenge.wrap_student(student, environment, own), _box(student)


def _box(student: Student) -> Box:
    space = student.task_space
    if not isinstance(space, Box):
        raise ValueError(
            "The command line needs tasks with named axes (a Box), got those of"
            f" {type(space).__name__}."
        )
    return space


def _fitting(test_sets: dict[str, Any], space: Box) -> list[str]:
    """The names of the test sets whose tasks lie in `space`: bounds may be narrower, and sizes
    of a body are axes that some lack.
    """
    fits = lambda tasks: (
        tasks.shape[-1] == space.dims and bool(jax.vmap(space.contains)(tasks).all())
    )
    return [name for name, tasks in test_sets.items() if fits(tasks)]


def shrunk(settings: Settings) -> Settings:
    """`settings` with the sizes of a rehearsal, wherever they do not name a size themselves."""
    named = {change.partition("=")[0] for change in settings.set}
    sizes = find("student", STUDENTS, settings.student).debug
    others = [size for size in sizes if size.partition("=")[0] not in named]
    return dataclasses.replace(settings, set=(*others, *settings.set))


def _parts(settings: Settings) -> dict[str, Any]:
    """The lines of the tables that `settings` names; "env" is absent where the student needs
    none.
    """
    parts = {
        "teacher": find("teacher", TEACHERS, settings.teacher),
        "student": find("student", STUDENTS, settings.student),
    }
    parts["challenge"] = find("challenge", CHALLENGES, settings.challenge)
    if settings.env is None or settings.body is None:
        return parts
    find("body", BODIES, settings.body)
    return parts | {"env": find("environment", ENVIRONMENTS, settings.env)}


def _settled(settings: Settings) -> Settings:
    """`settings` with the default world of a student that plays one.

    Raises:
      RunError: when a world is given to a student that plays none.
    """
    first = {"env": next(iter(ENVIRONMENTS)), "body": next(iter(BODIES))}
    chosen = {
        name: getattr(settings, name) for name in first if getattr(settings, name) is not None
    }
    if find("student", STUDENTS, settings.student).needs_environment:
        return dataclasses.replace(settings, **first | chosen)
    for name, value in chosen.items():
        raise RunError(
            f"--{name} {value}: the student {settings.student} plays no environment; leave --{name}"
            " away."
        )
    return settings


def _tester(parts: dict[str, Any]) -> str:
    """The part that has test sets and an expert: the environment, or the student that needs
    none.
    """
    return "env" if "env" in parts else "student"


def _changes(settings: Settings, sections: list[str]) -> dict[str, dict[str, str]]:
    """The texts of --set: section, field, value."""
    changes: dict[str, dict[str, str]] = {section: {} for section in sections}
    for change in settings.set:
        name, equals, value = change.partition("=")
        section, _, field = name.partition(".")
        if not (equals and field):
            raise RunError(
                f"--set takes SECTION.FIELD=VALUE, as in teacher.exploration=0.1, got {change!r}."
            )
        if section not in changes:
            raise RunError(
                f"--set {name}: there is no section {section!r} here; there are"
                f" {', '.join(changes)}."
            )
        if name == "loop.rounds_per_evaluation":
            raise RunError("--set loop.rounds_per_evaluation: give --evaluate-every instead.")
        if field in changes[section]:
            raise RunError(f"--set {name} is given twice.")
        changes[section][field] = value
    return changes


def _configurations(parts: dict[str, Any], changes: dict[str, dict[str, str]]) -> dict[str, Any]:
    """The configuration of every part, and of the loop, with `changes` applied to all but the
    teacher's, whom an expert tells first.
    """
    configs = {section: part.config for section, part in parts.items()} | {"loop": LoopConfig()}
    for section in ("teacher", "challenge"):
        known = {parameter.name for parameter in parameters(configs[section])}
        configs[section] = replace(
            configs[section],
            {name: value for name, value in parts["student"].adapt.items() if name in known},
        )
    return {
        name: config if name == "teacher" else override(config, name, changes[name])
        for name, config in configs.items()
    }


def _told(
    settings: Settings, parts: dict[str, Any], configs: dict[str, Any], original: Box, space: Box
) -> Any:
    """The teacher's configuration with what an expert of the `original` tasks tells at
    --knowledge; the teacher sees `space`.
    """
    level, tester = settings.knowledge, _tester(parts)
    if level is None:
        return configs["teacher"]
    flag, subject = f"--knowledge {level}", settings.env if tester == "env" else settings.student
    if level not in LEVELS:
        raise RunError(f"{flag}: there is no such level; there are {', '.join(LEVELS)}.")
    expert = parts[tester].knowledge
    knowledge = None if expert is None else expert(configs[tester], original)
    if knowledge is None and level != "none":
        raise RunError(
            f"{flag}: no expert knows {subject}; give the teacher's own settings with --set."
        )
    if knowledge is not None and level == "high":
        if knowledge.easy_mean is None:
            raise RunError(
                f"{flag}: with these settings no one task of {subject} is known to be easy; choose"
                " --knowledge low."
            )
        to_view = lambda tasks: parts["challenge"].to_view(tasks, original, configs["challenge"])
        knowledge = dataclasses.replace(
            knowledge, easy_mean=_seen(knowledge.easy_mean, original, to_view, space)
        )
    try:
        return informed(configs["teacher"], level, knowledge)
    except ValueError as error:
        raise RunError(f"{flag}: {error}") from None


def _seen(
    easy: tuple[float, ...], original: Box, to_view: Callable[[np.ndarray], Any], space: Box
) -> np.ndarray:
    """What the teacher, who sees `space`, calls the task of `original` that is nearest to
    `easy`, [dims].
    """
    nearest = np.clip(np.array([easy]), original.low, original.high)
    return np.clip(
        np.asarray(to_view(nearest)[0], float), space.low, space.high
    )  # float32 may round over a bound


def _named(settings: Settings, configs: dict[str, Any]) -> dict[str, Any]:
    named = {
        field.name: getattr(settings, field.name)
        for field in dataclasses.fields(Settings)
        if field.name != "set"
    }
    for section, config in configs.items():
        named |= {
            f"{section}.{parameter.name}": parameter.value for parameter in parameters(config)
        }
    return json.loads(json.dumps(named))


def _remedy(message: str, configs: dict[str, Any]) -> str:
    """How to give the field of a configuration that `message` names, as in OracleConfig.step;
    "" where it names none.
    """
    if "--set" in message:
        return ""
    for section, config in configs.items():
        for name, flag in _flags(config, section):
            if re.search(rf"\b{name}\b", message):
                return f" Give it with --set {flag}=..."
    return ""


def _flags(config: Any, section: str) -> Iterator[tuple[str, str]]:
    """What errors call the fields of a configuration, and what --set calls them."""
    for field in dataclasses.fields(config):
        yield f"{type(config).__name__}.{field.name}", f"{section}.{field.name}"
        if dataclasses.is_dataclass(inner := getattr(config, field.name)):
            yield from _flags(inner, f"{section}.{field.name}")


def _best_group(num_seeds: int, num_devices: int) -> int:
    """The batch of seeds with which the most devices have work: on a CPU of 16 to 64, whose
    states stay in its cache, else the widest.
    """
    widths = [width for width in range(1, num_seeds + 1) if num_seeds % width == 0]
    busy = lambda width: num_used(num_seeds // width, num_devices)
    fits = lambda width: jax.default_backend() == "cpu" and 16 <= width <= 64
    return max(widths, key=lambda width: (busy(width), fits(width), width))


def num_used(num_groups: int, num_devices: int) -> int:
    """How many devices share `num_groups` groups of seeds evenly."""
    return max(num for num in range(1, num_devices + 1) if num_groups % num == 0)
