"""From named parts and overrides to one experiment that is ready to run."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from jaxcurriculum import Environment, Loop, Space, Student, Teacher, make_loop, students
from jaxcurriculum.checks import checked_test_tasks
from jaxcurriculum.cli.configure import Chosen, changes_of, configurations, scaled, told
from jaxcurriculum.cli.settings import Settings, override, parameters, remedy, replace
from jaxcurriculum.cli.tables import CHALLENGES, ENVIRONMENTS, STUDENTS, TEACHERS, find
from jaxcurriculum.cli.tables.building import check_episodes_end
from jaxcurriculum.cli.tables.own import own
from jaxcurriculum.cli.tables.parts import EnvironmentPart, Part, StudentPart, made
from jaxcurriculum.cli.tables.students import FEEDS, with_learner
from jaxcurriculum.loop import bind
from jaxcurriculum.records import PyTree
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.experiment import Experiment, make_experiment

TESTS = "test_tasks"  # what `Setup.at` calls them


@dataclasses.dataclass(frozen=True)
class Setup:
    """A run whose every setting is settled, and its loop."""

    settings: Settings
    chosen: Chosen
    configs: dict[str, Any]  # by section
    env: Environment | None
    loop: Loop

    def at(self, values: Mapping[str, PyTree]) -> Loop:
        """The loop with other `values` of its parts' settings, and with `TESTS` other test tasks.

        They are numbers or, inside a compiled function, arrays, by names like
        "teacher.exploration". Nothing is checked again.
        """
        fields = {name: value for name, value in values.items() if name != TESTS}
        changes = changes_of(dataclasses.replace(self.settings, fields=fields), [*self.configs])
        configs = self.configs | {
            section: replace(self.configs[section], changed)
            for section, changed in changes.items()
            if changed
        }
        changed = {section for section in changes if changes[section]}
        env, student = self.env, self.loop.student
        if changed & {"env", "challenge"}:
            env = _environment(self.chosen, configs)
        if changed - {"teacher"}:
            student, _ = _student(self.chosen, configs, env)
        teacher = _teacher(self.chosen, configs, student.task_space)
        if changed - {"teacher"}:
            student = _learners(student, teacher)
        return bind(teacher, student, values.get(TESTS, self.loop.test_tasks), self.loop.config)

    def named(self) -> dict[str, Any]:
        """Every setting by name, but for the group, which the experiment decides."""
        fields = [field.name for field in dataclasses.fields(Settings) if field.name != "fields"]
        named = {name: getattr(self.settings, name) for name in fields if name != "group"}
        for section, config in self.configs.items():
            for parameter in parameters(config):
                named[f"{section}.{parameter.name}"] = parameter.value
        return named

    def experiment(self) -> Experiment:
        """The run, ready to start."""
        settings = self.settings
        assert settings.steps is not None  # settled
        sizes = (settings.seeds, settings.steps, settings.seed, settings.group)
        again = f"{__name__}:{rebuild.__name__}"
        return make_experiment(self.loop, *sizes, settings=self.named(), rebuild=again)


def build(
    settings: Settings, watch: Callable[[Environment], Environment] = lambda env: env
) -> Experiment:
    """Make the parts that `settings` names and bind them into a loop.

    The student plays what `watch` makes of its environment.

    Raises:
      RunError: for unknown names, overrides that do not fit, and whatever a factory refuses.
    """
    if settings.group and settings.seeds % settings.group:
        asked = f"--group {settings.group} for --seeds {settings.seeds}"
        raise RunError(f"--group must divide --seeds, got {asked}.")
    return set_up(settings, watch).experiment()


def set_up(
    settings: Settings,
    watch: Callable[[Environment], Environment] = lambda env: env,
    make: Callable[..., Loop] = make_loop,
) -> Setup:
    """`build`, short of the experiment.

    Args:
      make: `bind` for roles that are known to keep their contract.

    Raises:
      RunError: as `build`.
    """
    settings = _settled(settings)
    chosen = _chosen(settings)
    changes = changes_of(settings, [*chosen.parts, "loop"])
    configs = configurations(chosen, changes)
    try:
        env = _environment(chosen, configs, watch)
        asked = override(configs["teacher"], "teacher", changes["teacher"])
        suited = chosen.parts["teacher"].suit_student(configs["student"], env, asked)
        configs["student"] = override(suited, "student", changes["student"])
        student, original = _student(chosen, configs, env)
        configs["teacher"] = scaled(configs["teacher"], student)
        config = told(settings, chosen, configs, original, student.task_space)
        configs["teacher"] = override(config, "teacher", changes["teacher"])
        teacher = _teacher(chosen, configs, student.task_space)
        if teacher.needs_every_level:
            check_episodes_end(configs["student"], env, teacher.name)
        student = _learners(student, teacher)
        every = settings.evaluate_every or chosen.parts["student"].evaluate_every
        rounds = max(1, round(every / student.steps_per_round))
        configs["loop"] = dataclasses.replace(configs["loop"], rounds_per_evaluation=rounds)
        test_set, tasks = _test_set(settings, chosen, configs, original)
        to_view = chosen.parts["challenge"].to_view
        tasks = to_view(tasks, original, configs["challenge"])
        loop = make(teacher, student, tasks, configs["loop"])
    except (ValueError, TypeError) as error:
        if isinstance(error, TypeError) and " must be " not in str(error):
            raise
        raise RunError(str(error) + remedy(str(error), configs)) from error
    steps = settings.steps or chosen.parts["student"].steps
    settled = dataclasses.replace(settings, test_set=test_set, steps=steps, evaluate_every=every)
    return Setup(settled, chosen, configs, env, loop)


def rebuild(config: dict[str, Any]) -> Experiment:
    """The experiment of a run, made again of its config.json."""
    return build(Settings.recorded(config))


def chosen_configs(settings: Settings) -> dict[str, Any]:
    """The default configurations, by section, of the parts that `settings` names."""
    chosen = _chosen(_settled(settings))
    return configurations(chosen, {section: {} for section in [*chosen.parts, "loop"]})


def shrunk(settings: Settings) -> Settings:
    """`settings` with the sizes of a rehearsal, wherever they do not name a size themselves."""
    sizes = find("student", STUDENTS, settings.student).debug
    return dataclasses.replace(settings, fields={**sizes, **settings.fields})


def _settled(settings: Settings) -> Settings:
    """`settings` with the default world of a student that plays one.

    Raises:
      RunError: when a world is given to a student that plays none.
    """
    if find("student", STUDENTS, settings.student).needs_environment:
        return dataclasses.replace(settings, env=settings.env or next(iter(ENVIRONMENTS)))
    for name in ("env", "learner"):
        if value := getattr(settings, name):
            plays = f"the student {settings.student} plays no environment"
            raise RunError(f"--{name} {value}: {plays}; leave --{name} away.")
    return settings


def _chosen(settings: Settings) -> Chosen:
    """The lines of the tables that `settings` names, or lines for functions of one's own."""
    parts: dict[str, Part] = {
        "teacher": _part("teacher", TEACHERS, settings.teacher),
        "student": find("student", STUDENTS, settings.student),
        "challenge": find("challenge", CHALLENGES, settings.challenge),
    }
    if settings.env is not None:
        parts["env"] = env = _part("env", ENVIRONMENTS, settings.env)
        assert isinstance(env, EnvironmentPart)
        for kind in ("teacher", "student"):
            preset = env.presets.get(getattr(settings, kind), parts[kind].config)
            parts[kind] = dataclasses.replace(parts[kind], config=preset)
    if settings.learner is not None:
        parts["learner"] = _own_learner(settings.learner, settings.student)
        feed = FEEDS[settings.student]
        parts["student"] = dataclasses.replace(parts["student"], config=feed, debug={})
    subject = settings.student if settings.env is None else settings.env
    return Chosen(parts=parts, subject=subject)


def _part(kind: str, table: dict[str, Any], name: str) -> Part:
    """A line of `table`, or one for the function that "module:function" names."""
    if ":" not in name:
        return find({"env": "environment"}.get(kind, kind), table, name)
    return own(name, kind).part


def _own_learner(name: str, student: str) -> Part:
    """A line for the learner that "module:function" names, in the place of that of `student`."""
    if name in STUDENTS:
        raise RunError(f"--learner {name}: it is for one of your own; give --student {name}.")
    if student not in FEEDS:
        places = "--learner takes the place of PPO (--student ppo) or of SAC (--student sac)"
        raise RunError(f"{places}, got --student {student}.")
    return own(name, "learner").part


def _environment(
    chosen: Chosen,
    configs: dict[str, Any],
    watch: Callable[[Environment], Environment] = lambda env: env,
) -> Environment | None:
    """What the student plays, as the challenge makes it; None for one that plays nothing."""
    env = made(chosen.parts["env"].make, configs["env"]) if "env" in chosen.parts else None
    if "env" in chosen.parts and not isinstance(env, Environment):
        raise RunError(f"--env must make an Environment, got {type(env).__name__}.")
    return chosen.parts["challenge"].wrap_environment(env and watch(env), configs["challenge"])


def _student(
    chosen: Chosen, configs: dict[str, Any], env: Environment | None
) -> tuple[Student, Space]:
    """The student as the challenge makes it, and the task space without it, of which test sets
    speak.
    """
    challenge, make = chosen.parts["challenge"], chosen.parts["student"].make
    if learner := chosen.parts.get("learner"):
        make = with_learner(lambda *given: learner.make(*given, configs["learner"]))
    student = make(env, configs["student"])
    return challenge.wrap_student(student, env, configs["challenge"]), student.task_space


def _teacher(chosen: Chosen, configs: dict[str, Any], space: Space) -> Teacher:
    """The teacher of `space`; of a box, as the environment makes its teachers so."""
    env, part, config = chosen.parts.get("env"), chosen.parts["teacher"], configs["teacher"]
    make = lambda space: part.make(space, config)
    if env is None or part.takes_levels:
        return make(space)
    return env.teach(make, configs["env"], space)


def _learners(student: Student, teacher: Teacher) -> Student:
    """As many of `student` as the teacher compares."""
    if teacher.num_learners == 1:
        return student
    return students.population(student, teacher.num_learners, teacher.share)


def _test_set(
    settings: Settings, chosen: Chosen, configs: dict[str, Any], space: Space
) -> tuple[str, PyTree]:
    """The test set that was asked for, or the first whose tasks lie in the space (bounds may be
    narrower, and sizes of a body are axes that some lack), by name and as tasks.

    Raises:
      ValueError: when its tasks are none of the space.
      RunError: when there is no such set.
    """
    part = chosen.tester
    assert isinstance(part, EnvironmentPart | StudentPart)
    if settings.test_set:
        find("test set", part.test_sets, settings.test_set)
    tried = {}
    for name in [settings.test_set] if settings.test_set else part.test_sets:
        tried[name] = _test_tasks(part, name, configs[chosen.testing], space)
        if not isinstance(tried[name], ValueError):
            return name, tried[name]
    first, error = next(iter(tried.items()))  # where none fits, the first says why
    others = [name for name in part.test_sets if name not in tried]
    made = {name: _test_tasks(part, name, configs[chosen.testing], space) for name in others}
    fitting = [name for name, tasks in made.items() if not isinstance(tasks, ValueError)]
    hint = f" Another --test-set: {', '.join(fitting)}." if fitting else ""
    raise ValueError(f"The test set {first} does not fit: {error}{hint}")


def _test_tasks(
    part: EnvironmentPart | StudentPart, name: str, config: Any, space: Space
) -> PyTree | ValueError:
    """The tasks of a test set, or what keeps them from being tasks of the space."""
    try:
        tasks = part.test_sets[name](config, space)
        checked_test_tasks(space, tasks)
    except ValueError as error:
        return error
    return tasks
