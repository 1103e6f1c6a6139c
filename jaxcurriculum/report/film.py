"""Episodes of a run, played with the policy of the last checkpoint and shown as a picture or film.

It acts as in the run's tests: by its mean action, or by sampled ones (`LoopConfig.deterministic`).
How an episode looks is the environment's to say (`Environment.viewer`).
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl

from jaxcurriculum import tree
from jaxcurriculum.device.machine import is_known_jaxlib
from jaxcurriculum.records import PyTree, level_key
from jaxcurriculum.report.asked_task import Asked, asked_task, file_stem
from jaxcurriculum.report.writing import write_film
from jaxcurriculum.roles import Environment, Student
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.experiment import Experiment, seed_index
from jaxcurriculum.runs.files import naming
from jaxcurriculum.runs.policy_file import student_state
from jaxcurriculum.runs.store import Run
from jaxcurriculum.spaces import Box, Space
from jaxcurriculum.viewer import Film, Viewer, frames_of, to_host

RECENT = 5  # evaluations
# A film is made once: 3 s instead of 17.
QUICK_TO_COMPILE: dict[str, Any] = (
    {"xla_backend_optimization_level": 0} if is_known_jaxlib() else {}
)


@dataclasses.dataclass(frozen=True)
class Actor:
    """One seed of a run, ready to play."""

    run: Run
    environment: Environment
    viewer: Viewer
    student: Student
    state: PyTree  # the student's
    test_tasks: PyTree  # [num_tasks, ...]
    seed: int
    deterministic: bool  # as the run's tests: its mean action, or sampled ones


def animate(
    run: Run,
    experiment: Experiment,
    task: Asked = (),
    seed: int | None = None,
    track_seed: int = 0,
    out: pathlib.Path | None = None,
    at: float | None = None,
) -> pathlib.Path:
    """Play one episode on `task` (by default `showpiece`'s) and write it as a GIF, an MP4 or a PNG.

    Args:
      experiment: the run's.
      task: one value an axis, or a text where the world's tasks are read from one, as mazes.
      track_seed: of the level that is made of the task, and of actions that are sampled.
      at: the moment that a PNG shows, s; by default half-way through the episode.

    Returns:
      the path of the file.

    Raises:
      RunError: when the run has no environment, no checkpoint or no such seed, or when the task,
          level, moment or file cannot be.
    """
    actor = load(run, experiment, seed)
    path = run.figures / f"{file_stem(task, seed, track_seed)}.gif" if out is None else out
    check_path(path, ".gif", ".mp4", ".png")
    if at is not None and path.suffix.lower() != ".png":
        raise RunError(f"`at` names the moment that a .png shows, got {at:g} for {path}.")
    tasks = (
        asked_task(actor.student.task_space, task)
        if task
        else tree.take(actor.test_tasks, np.array([showpiece(actor)]))
    )
    (film,) = play(actor, tasks, [track_seed])
    moment = frame_at(film, film.seconds[-1] / 2 if at is None else at)
    with naming(path):
        write_film(path, actor.viewer, film, moment)
    return path


def load(run: Run, experiment: Experiment, seed: int | None = None) -> Actor:
    """The policy that `seed` of `run` (by default its first) has learned.

    Raises:
      RunError: when the run has no environment, no checkpoint or no such seed.
    """
    student = experiment.loop.student
    env = student.environment
    if env is None or student.act is None:
        simulated = f"{student.name} is a simulated student without an environment"
        raise RunError(f"{run.path} cannot be animated: {simulated}.")
    if env.viewer is None:
        raise RunError(f"{run.path} cannot be animated: {env.name} has no viewer.")
    index = seed_index(experiment, seed)
    return Actor(
        run=run,
        environment=env,
        viewer=env.viewer,
        student=student,
        state=student_state(experiment, run, index),
        test_tasks=experiment.loop.test_tasks,
        seed=experiment.first_seed + index,
        deterministic=experiment.loop.config.deterministic,
    )


def play(actor: Actor, tasks: PyTree, level_seeds: Sequence[int]) -> list[Film]:
    """One episode on each of `tasks` ([num, ...]), on the level that `level_seeds` gives each.

    Raises:
      RunError: when there is no such level.
    """
    for level_seed in level_seeds:
        if not 0 <= level_seed < 2**32:
            most = 2**32 - 1
            raise RunError(f"`track_seed` must lie between 0 and {most}, got {level_seed}.")
    keys = jax.vmap(level_key)(jnp.array(level_seeds, jnp.uint32))
    levels = jax.vmap(actor.environment.generate)(keys, tasks)
    looks, rewards, lengths = to_host(roll_out(actor, levels, level_seeds[0]))
    viewer, space = actor.viewer, actor.environment.task_space
    pace = viewer.steps_per_frame * viewer.frames_per_second
    films = []
    for i, level_seed in enumerate(level_seeds):
        shown = frames_of(int(lengths[i]), viewer.steps_per_frame)
        returns = np.concatenate([[0.0], np.cumsum(rewards[i])])
        film = Film(
            level=to_host(tree.take(levels, i)),
            looks=jax.tree.map(lambda leaf, i=i, shown=shown: leaf[i, shown], looks),
            returns=returns[shown],
            seconds=shown / pace,
            task=label(space, tree.take(tasks, i)) | {"level": str(level_seed)},
            solved=bool(returns[lengths[i]] > actor.environment.solved_above),
        )
        films.append(film)
    return films


def roll_out(actor: Actor, levels: PyTree, seed: int) -> tuple[PyTree, jax.Array, jax.Array]:
    """One episode on each of `levels` [num, ...] as one compiled program.

    Args:
      seed: of sampled actions, and of what is random in the steps.

    Returns:
      looks at the start and after every step, [num, 1 + steps, ...], rewards of every step, and the
          lengths [num]; what lies behind them means nothing.
    """
    env, student, viewer = actor.environment, actor.student, actor.viewer
    assert student.act is not None and student.memory is not None
    act, num = student.act, jax.tree.leaves(levels)[0].shape[0]
    memory = student.memory(num)
    key_reset, key_steps = jax.random.split(jax.random.key(0))
    key_steps = jax.random.fold_in(key_steps, seed)

    def episodes(state: PyTree, levels: PyTree):
        def step(carry, key):
            env_state, obs, first, memory, over = carry
            key_act, key_step = jax.random.split(key)
            memory, action = act(key_act, state, memory, obs, first, actor.deterministic)
            env_step = jax.vmap(env.step, in_axes=(None, 0, 0, 0))
            env_state, timestep = env_step(key_step, levels, env_state, action)
            after = over | timestep.terminated | timestep.truncated
            seen = jax.vmap(viewer.look)(levels, env_state, timestep.obs)
            carry = env_state, timestep.obs, jnp.zeros_like(first), memory, after
            return carry, (seen, timestep.reward, over)

        env_state, timestep = jax.vmap(env.reset, in_axes=(None, 0))(key_reset, levels)
        start = env_state, timestep.obs, jnp.ones(num, bool), memory, jnp.zeros(num, bool)
        keys = jax.random.split(key_steps, env.max_episode_steps)
        looks, rewards, over = jax.lax.scan(step, start, keys)[1]
        seen = jax.vmap(viewer.look)(levels, env_state, timestep.obs)
        looks = jax.tree.map(lambda one, others: jnp.concatenate([one[None], others]), seen, looks)
        looks, rewards = tree.move_axis((looks, rewards), 0, 1)
        return looks, rewards, jnp.sum(~over, axis=0)

    return jax.jit(episodes, compiler_options=QUICK_TO_COMPILE)(actor.state, levels)


def showpiece(actor: Actor) -> int:
    """The test task to show: of those that the seed mastered in each of the last evaluations the
    one that took longest; the best where there is none.

    A task that was mastered once may have been luck, and is often lost on another level.
    """
    tests = actor.run.evaluations().filter(pl.col("seed") == actor.seed)
    latest = pl.col("evaluation").max()
    by_task = tests.group_by("test_task")
    share = by_task.agg(pl.col("solved").mean().alias("share"))
    recent = tests.filter(pl.col("evaluation") > latest - RECENT).group_by("test_task")
    steady = recent.agg(pl.col("solved").all().alias("steady"))
    last = tests.filter(pl.col("evaluation") == latest)
    known = last.join(share, on="test_task").join(steady, on="test_task")
    best = known.sort("steady", "solved", -pl.col("share"), "return", descending=True)
    return int(best["test_task"][0])


def frame_at(film: Film, seconds: float) -> int:
    """The frame of `film` nearest to `seconds`.

    Raises:
      RunError: when the episode is over by then, or has not begun.
    """
    end = film.seconds[-1]
    if not 0 <= seconds <= end:
        raise RunError(
            f"`at` must lie between 0 and {end:g} s, where this episode ends, got {seconds:g}."
        )
    return int(np.abs(film.seconds - seconds).argmin())


def label(space: Space, task: PyTree) -> dict[str, str]:
    """The values of a task with their units, by name.

    >>> box = Box(names=("stump_height", "drag"), low=(0, 0), high=(3, 1), units=("steps", ""))
    >>> label(box, np.array([1.5, 0.25]))
    {'stump height': '1.50 steps', 'drag': '0.25'}
    """
    units = dict(zip(space.names, space.units)) if isinstance(space, Box) else {}
    columns = space.columns(jax.tree.map(lambda leaf: np.asarray(leaf)[None], task))
    return {
        name.replace("_", " "): f"{_number(values[0])} {units.get(name, '')}".rstrip()
        for name, values in columns.items()
        if values.dtype.kind in "iuf"
    }


def _number(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, np.floating) else str(value)


def check_path(path: pathlib.Path, *suffixes: str) -> None:
    """Raise a RunError unless `path` lies in a folder that exists and ends in one of `suffixes`."""
    if path.suffix.lower() not in suffixes or not path.parent.is_dir():
        *most, last = suffixes
        kinds = f"{', '.join(most)} or {last}" if most else last
        raise RunError(f"`out` must be a {kinds} file in a folder that exists, got {path}.")
