"""The host loop: the compiled `advance` over and over, and between two of them progress, files and
checkpoints.

A thread of its own keeps the device busy with the next advance while the files of the last one are
written and signals are listened for.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import jax
import numpy as np
from filelock import FileLock, Timeout
from rich.console import Console

from jaxcurriculum.records import PyTree
from jaxcurriculum.runs.checkpoint import Checkpoints, first_difference
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.experiment import (
    Experiment,
    check_memory,
    initial_states,
    state_shapes,
)
from jaxcurriculum.runs.files import UNSUPPORTED, flush, naming, write_json
from jaxcurriculum.runs.logs import check_logs
from jaxcurriculum.runs.meta import changes, describe
from jaxcurriculum.runs.progress import Steps, Watch
from jaxcurriculum.runs.recorder import Recorder
from jaxcurriculum.runs.store import Run
from jaxcurriculum.runs.switches import check_recorded_switches
from jaxcurriculum.runs.test_tasks import different_tasks, tasks_in, tasks_of

Stop = Callable[[], signal.Signals | None]  # the signal that came, if one did
# (advances done) -> in a `with`, what shows those to come
Show = Callable[[int], AbstractContextManager[Steps]]


def run_experiment(
    experiment: Experiment, run: Run, console: Console, log: Sequence[str] = ()
) -> signal.Signals | None:
    """Run `experiment` to its end in the folder of `run`, from its last checkpoint if there is one.

    Its curves go to the sinks `log`, and to those of its earlier starts (see `logs.py`).

    Returns the signal that ended it before, Ctrl-C's or SIGTERM, or None when the run is complete.

    Raises:
      RunError: when the folder's run has other settings or no intact checkpoint, when a sink cannot
          be, when the seeds do not fit into the memory, and when the run turns non-finite.
    """
    logged = dict.fromkeys(log, 0) | (run.meta.get("logged", {}) if run.exists else {})
    check_logs(logged, experiment.num_seeds)
    check_memory(experiment)
    steps = experiment.loop.steps_per_advance * experiment.num_seeds
    total, unit = experiment.num_advances * steps, experiment.loop.student.step_unit
    run.path.mkdir(parents=True, exist_ok=True)
    with alone(run, console):
        if not flush(run.path):
            lost = "a power cut may take the newest files"
            warn(console, f"The file system of {run.path} cannot flush folders: {lost}.")
        begin(experiment, run, console, logged)
        with interruptible() as stopped_by:
            watch = lambda done: Watch(console, total, done * steps, unit)
            return go_on(experiment, run, console, stopped_by, watch)


def go_on(
    experiment: Experiment, run: Run, console: Console, stopped_by: Stop, show: Show
) -> signal.Signals | None:
    """`run_experiment` in a folder that is this process' own."""
    loop, last = experiment.loop, experiment.num_advances
    steps = loop.steps_per_advance * experiment.num_seeds
    rounds = loop.config.rounds_per_evaluation
    device = ThreadPoolExecutor(1)
    advance = lambda state, done: jax.block_until_ready(
        experiment.program.run(experiment.lanes, state, done * rounds)
    )
    dispatch = lambda state, done: device.submit(advance, state, done)
    with Recorder(run, identity(experiment.config), loop.student.task_space) as recorder:
        done, state, damages = recorder.resume(like=initial_states(experiment))
        for damage in damages:
            warn(console, f"{damage} Going on from the one before it, evaluation {done}.")
        if done >= last:
            return None
        with show(done) as watch:
            running = dispatch(state, done)
            while running is not None and wait(running, stopped_by):
                good, (state, report) = state, running.result()
                running = dispatch(state, done + 1) if done + 1 < last else None
                broken = np.flatnonzero(report.counters.nonfinite)
                if broken.size and not experiment.goes_on:
                    recorder.flush(done, good)
                    recorder.add(done, report)
                    recorder.flush(done + 1, None)
                    raise RunError(nonfinite_message(experiment, run, broken, done))
                recorder.add(done, report)
                done += 1
                watch.show(steps, report)
                if recorder.is_due:
                    recorder.flush(done, state)
        recorder.flush(done, state)
    return None if done >= last else stopped_by()


@contextmanager
def alone(run: Run, console: Console) -> Iterator[None]:
    """Inside, no other process may train in the folder of `run`; the system lets go of it when a
    process ends, however it does.

    Raises:
      RunError: when another process does.
    """
    path = run.path / ".lock"
    lock = FileLock(path, timeout=0, fallback_to_soft=False)  # a soft one would outlive its process
    try:
        with naming(path):
            lock.acquire()
    except Timeout:
        raise RunError(f"Another process is training in {run.path}.") from None
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
        once = "let only one process train in it"
        warn(console, f"The file system of {run.path} has no locks: {once}.")
    try:
        yield
    finally:
        lock.release()


def warn(console: Console, text: str) -> None:
    """Say something that does not stop the run; never wrapped, so that paths can be copied."""
    console.print(text, style="yellow", soft_wrap=True)


def restore(experiment: Experiment, run: Run) -> PyTree:
    """The states of the last intact checkpoint of `run`, [seeds, ...], on the first device.

    Raises:
      RunError: when there is none, or when JAX's switches are not those of the run.
    """
    check_recorded_switches(run.meta)
    with Checkpoints(run.path / "checkpoints") as checkpoints:
        restored = checkpoints.restore(state_shapes(experiment), identity(experiment.config))
    if restored is None:
        raise RunError(f"{run.path} has no checkpoint yet.")
    return restored[1]


def check_folder(run: Run, resume: bool) -> None:
    """Check that a run may be started (or resumed) in the folder of `run`.

    Raises:
      RunError: when it holds something else, or a run that was not asked to be resumed, or when its
        path is not text.
    """
    path = str(run.path.absolute())
    try:
        path.encode()  # orbax writes it into its files
    except UnicodeEncodeError:
        remedy = "choose another `path`"
        raise RunError(
            f"The path of a run must be text in UTF-8, got {path!r}: {remedy}."
        ) from None
    if run.exists and not resume:
        raise RunError(
            f"{run.path} already holds a run: go on with it by `resume=True`, or choose another"
            " `path`."
        )
    begun = {
        ".lock",
        "meta.json",
        ".meta.json.partial",
        ".config.json.partial",
    }  # all that a run killed in its first moment leaves
    if (
        not run.exists
        and run.path.exists()
        and (not run.path.is_dir() or {path.name for path in run.path.iterdir()} - begun)
    ):
        raise RunError(f"{run.path} exists and is not a run: choose another `path`.")


def begin(experiment: Experiment, run: Run, console: Console, logged: dict[str, int]) -> None:
    """Write down what a new run is, or check that the run in the folder was made with these
    settings; `logged` is how many evaluations each sink has.

    Other versions or devices are said and written down, as they change the last bits only.

    Raises:
      RunError: naming the first setting or switch that differs, or in what the test tasks do; or
          when the run was asked for more steps before.
    """
    meta = describe(experiment) | {"logged": logged}
    if run.exists:
        if difference := first_difference(identity(run.config), identity(experiment.config)):
            name, before, now = difference
            raise RunError(
                f"`resume=True` keeps a run's settings, but {name} was {before} and is now {now};"
                " choose another `path`."
            )
        before, now = run.config["steps"], experiment.config["steps"]
        if now < before:
            raise RunError(
                f"`num_steps` of a resumed run may only grow, but it was {before:g} and is now"
                f" {now:g}."
            )
        recorded = run.meta
        check_recorded_switches(recorded)
        # a job of a study that goes on for more steps has its earlier evaluations in a run
        is_tested = recorded["evaluations_done"] and not is_revived(run)
        tests = tasks_in(experiment.loop)
        if is_tested and (differ := different_tasks(tests, tasks_of(run))):
            raise RunError(f"`resume=True` keeps a run's test tasks, but {differ}.")
        meta |= {name: recorded[name] for name in ("wall_seconds", "evaluations_done", "started")}
        meta["changes"] = recorded.get("changes", [])
        if changed := ", ".join(changes(recorded, meta)):
            meta["changes"].append(f"evaluation {meta['evaluations_done']}: {changed}")
            warn(console, f"Going on with {changed}: not bit for bit as without the change.")
    write_json(run.path / "meta.json", meta)
    write_json(run.path / "config.json", experiment.config)


def is_revived(run: Run) -> bool:
    """Whether `run` is a job of a study that has a state, but no evaluation since it goes on."""
    return "lanes" in run.config and not any((run.path / "evaluations").glob("part-*.parquet"))


def identity(config: dict[str, Any]) -> dict[str, Any]:
    """The settings that a run keeps for its whole life: all but its length."""
    return {name: value for name, value in config.items() if name != "steps"}


def wait(running: Future, stopped_by: Stop) -> bool:
    """Wait until an advance has been computed; False when a signal comes before."""
    while not stopped_by():
        try:
            running.exception(timeout=0.05)
            return True
        except TimeoutError:
            continue
    return False


@contextmanager
def interruptible() -> Iterator[Stop]:
    """Inside, Ctrl-C and SIGTERM are noted, so that they never fall between two halves of a write.

    A second Ctrl-C is raised. Only the main thread hears signals; in any other one none is noted.
    """
    noted: list[signal.Signals] = []
    before = {}

    def note(number, frame):
        noted.append(signal.Signals(number))
        signal.signal(signal.SIGINT, before[signal.SIGINT])

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.getsignal(number) or signal.SIG_DFL  # None: set outside Python
            signal.signal(number, note)
    try:
        yield lambda: noted[0] if noted else None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def nonfinite_message(experiment: Experiment, run: Run, broken: np.ndarray, done: int) -> str:
    """What to say when the seeds at indices `broken` are no longer finite."""
    seeds = ", ".join(str(experiment.first_seed + index) for index in broken)
    return (
        f"Seed {seeds} turned non-finite (a return, a proposed task or the student's networks)"
        f" between evaluations {done} and {done + 1}, so the run stopped; its last good checkpoint"
        f" (evaluation {done}) is in {run.path / 'checkpoints'}. Try a smaller"
        " student.learning_rate, or look with `jaxcurriculum train --debug`."
    )
