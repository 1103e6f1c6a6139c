"""Episodes of a run's walker, played with the policy of the last checkpoint and shown as a
picture or a film.
"""

from __future__ import annotations

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl

from jaxcurriculum import Box, Environment
from jaxcurriculum.cli.build import Experiment, build
from jaxcurriculum.cli.settings import Settings
from jaxcurriculum.envs.walker.bodies import get_body
from jaxcurriculum.envs.walker.engine.terrain import FINISH
from jaxcurriculum.envs.walker.viewer import (
    FRAMES_PER_SECOND,
    Episode,
    draw_frame,
    scene,
    silhouette,
    write_gif,
    write_mp4,
)
from jaxcurriculum.records import Key, PyTree, level_key
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.store import Run, naming
from jaxcurriculum.runs.train import restore

RECENT = 5  # evaluations
STEPS_PER_FRAME = 2
QUICK_TO_COMPILE = {"xla_backend_optimization_level": 0}  # a film is made once: 3 s instead of 17
NUM_RAYS = 10  # of the lidar, the last of the observations

Policy = Callable[[Key, jax.Array], jax.Array]  # (key, obs) -> action
Look = Callable[
    [PyTree, PyTree], tuple[list[jax.Array], jax.Array]
]  # (level, environment state) -> polygons, lidar origin


@dataclasses.dataclass(frozen=True)
class Actor:
    """One seed of a run, ready to play."""

    run: Run
    environment: Environment
    space: Box  # of the tasks
    policy: Policy
    seed: int


def animate(
    run: Run,
    task: tuple[float, ...] = (),
    seed: int | None = None,
    track_seed: int = 0,
    out: pathlib.Path | None = None,
    at: float | None = None,
    experiment: Experiment | None = None,
) -> pathlib.Path:
    """Play one episode on `task` (by default `showpiece`'s) and write it as a GIF, an MP4 or a PNG.
    Returns its path.

    Args:
      at: the moment that a PNG shows, s; by default half-way through the episode.
      experiment: the run's, where it has been built already.

    Raises:
      RunError: when the run has no environment, no checkpoint or no such seed, or when the task,
          track, moment or file cannot be.
    """
    actor = load(run, seed, task, experiment)
    path = run.figures / f"{file_stem(task, seed, track_seed)}.gif" if out is None else out
    check_path(path, ".gif", ".mp4", ".png")
    if at is not None and path.suffix.lower() != ".png":
        raise RunError(f"--at names the moment that a .png shows, got --at {at:g} for {path}.")
    (episode,) = play(actor, [task or showpiece(actor)], [track_seed])
    moment = frame_at(episode, episode.seconds[-1] / 2 if at is None else at)
    with naming(path):
        write_film(path, episode, moment)
    return path


def write_film(path: pathlib.Path, episode: Episode, moment: int) -> None:
    """Write `episode` in the format of the suffix of `path`; a PNG shows its frame `moment`."""
    match path.suffix.lower():
        case ".gif":
            write_gif(path, episode)
        case ".mp4":
            try:
                write_mp4(path, episode)
            except ModuleNotFoundError:
                needed = "pip install 'jaxcurriculum[report]'"
                raise RunError(f"An .mp4 needs the package imageio-ffmpeg: {needed}.") from None
        case ".png":
            draw_frame(episode, moment).save(path)


def load(
    run: Run, seed: int | None, task: tuple[float, ...], experiment: Experiment | None = None
) -> Actor:
    """The policy that `seed` of `run` (by default its first) has learned.

    Raises:
      RunError: when the run has no environment, no checkpoint or no such seed, or when `task`
          (which may be empty) is none of its tasks.
    """
    experiment = experiment or build(Settings.recorded(run.config))
    env, student = experiment.environment, experiment.loop.student
    if env is None or student.act is None:
        raise RunError(
            f"{run.path} cannot be animated: {student.name} is a simulated student without an"
            " environment."
        )
    act, index = student.act, 0 if seed is None else seed - experiment.first_seed
    if not 0 <= index < experiment.num_seeds:
        last = experiment.first_seed + experiment.num_seeds - 1
        raise RunError(
            f"--seed must be one of the run's, {experiment.first_seed} to {last}, got {seed}."
        )
    if task:
        check_task(experiment.space, task)
    states = jax.device_put(
        restore(experiment, run).student, jax.devices()[0]
    )  # off the mesh of seeds: few walkers, one device
    state = jax.tree.map(lambda leaf: leaf[index], states)
    return Actor(
        run,
        env,
        experiment.space,
        lambda key, obs: act(key, state, obs, True),
        experiment.first_seed + index,
    )


def play(
    actor: Actor, tasks: Sequence[tuple[float, ...]], track_seeds: Sequence[int]
) -> list[Episode]:
    """One episode on each of `tasks`, on the track that `track_seeds` gives each.

    Raises:
      RunError: when there is no such track.
    """
    for track_seed in track_seeds:
        if not 0 <= track_seed < 2**32:
            raise RunError(f"--track-seed must lie between 0 and {2**32 - 1}, got {track_seed}.")
    keys = jax.vmap(level_key)(jnp.array(track_seeds, jnp.uint32))
    levels = jax.vmap(actor.environment.generate)(keys, jnp.array(tasks, jnp.float32))
    look = functools.partial(silhouette, get_body(actor.run.config["body"]))
    films = roll_out(actor.environment, actor.policy, look, levels)
    episodes = []
    for i, (task, track_seed) in enumerate(zip(tasks, track_seeds)):
        film = jax.tree.map(lambda leaf, i=i: leaf[i], films)
        ground, obstacles = scene(jax.tree.map(lambda leaf, i=i: leaf[i], levels))
        shown = slice(
            (film.length - 1) % STEPS_PER_FRAME, film.length, STEPS_PER_FRAME
        )  # the last is shown whatever the length
        returns = np.cumsum(film.rewards)
        episode = Episode(
            walker=[polygon[shown] for polygon in film.walker],
            origin=film.origin[shown],
            lidar=film.obs[shown, -NUM_RAYS:],
            returns=returns[shown],
            seconds=np.arange(1, len(returns) + 1)[shown] / STEPS_PER_FRAME / FRAMES_PER_SECOND,
            ground=ground,
            obstacles=obstacles,
            finish=FINISH,
            task=label(actor.space, task) | {"track": str(track_seed)},
            solved=bool(returns[film.length - 1] > actor.environment.solved_above),
        )
        episodes.append(episode)
    return episodes


class Film(NamedTuple):
    """Every step of one episode; what lies behind `length` means nothing."""

    walker: list[jax.Array]  # [steps, corners, 2], m
    origin: jax.Array  # [steps, 2], m
    obs: jax.Array  # [steps, obs_dim]
    rewards: jax.Array  # [steps]
    length: jax.Array  # []


def roll_out(env: Environment, policy: Policy, look: Look, levels: PyTree) -> Film:
    """One episode on each of `levels` [num, ...] as one compiled program; `look` sees polygons
    and lidar origin in a state. [num, ...]
    """
    key_reset, key_steps = jax.random.split(jax.random.key(0))

    def episode(level):
        def step(carry, key):
            env_state, obs, over = carry
            key_act, key_step = jax.random.split(key)
            env_state, timestep = env.step(key_step, level, env_state, policy(key_act, obs))
            after = over | timestep.terminated | timestep.truncated
            return (env_state, timestep.obs, after), (
                *look(level, env_state),
                timestep.obs,
                timestep.reward,
                over,
            )

        env_state, timestep = env.reset(key_reset, level)
        keys = jax.random.split(key_steps, env.max_episode_steps)
        walker, origin, obs, rewards, over = jax.lax.scan(
            step, (env_state, timestep.obs, jnp.zeros((), bool)), keys
        )[1]
        return Film(walker, origin, obs, rewards, jnp.sum(~over))

    film = jax.jit(jax.vmap(episode), compiler_options=QUICK_TO_COMPILE)
    return jax.tree.map(np.asarray, film(levels))


def showpiece(actor: Actor) -> tuple[float, ...]:
    """Of the test tasks that the seed mastered in each of the last evaluations, the one that took
    longest; the best where there is none.

    A task that was mastered once may have been luck, and is often lost on another track.
    """
    tests = actor.run.evaluations().filter(pl.col("seed") == actor.seed)
    recent = pl.col("evaluation") > pl.col("evaluation").max() - RECENT
    share = tests.group_by("test_task").agg(pl.col("solved").mean().alias("share"))
    steady = tests.filter(recent).group_by("test_task").agg(pl.col("solved").all().alias("steady"))
    last = (
        tests.filter(pl.col("evaluation") == pl.col("evaluation").max())
        .join(share, on="test_task")
        .join(steady, on="test_task")
    )
    best = last.sort("steady", "solved", -pl.col("share"), "return", descending=True)
    return best.select(actor.space.names).row(0)


def frame_at(episode: Episode, seconds: float) -> int:
    """The frame of `episode` nearest to `seconds`.

    Raises:
      RunError: when the episode is over by then, or has not begun.
    """
    if not 0 <= seconds <= episode.seconds[-1]:
        raise RunError(
            f"--at must lie between 0 and {episode.seconds[-1]:g} s, where this episode ends, got"
            f" {seconds:g}."
        )
    return int(np.abs(episode.seconds - seconds).argmin())


def label(space: Box, task: tuple[float, ...]) -> dict[str, str]:
    """The values of a task with their units, by name.

    >>> label(Box(names=("stump_height", "drag"), low=(0, 0), high=(3, 1), units=("steps", "")),
    ...     (1.5, 0.25))
    {'stump height': '1.50 steps', 'drag': '0.25'}
    """
    return {
        name.replace("_", " "): f"{value:.2f} {unit}".rstrip()
        for name, value, unit in zip(space.names, task, space.units)
    }


def file_stem(task: tuple[float, ...], seed: int | None, track_seed: int) -> str:
    """What to call a film of this episode: the run's own is not written over by one that was asked
    for.

    >>> file_stem((), None, 0), file_stem((1.0, 0.25), 3, 7)
    ('walker', 'walker_1_0.25_seed3_track7')
    """
    of_seed = [] if seed is None else [f"seed{seed}"]
    on_track = [f"track{track_seed}"] if track_seed else []
    return "_".join(["walker", *(f"{value:g}" for value in task), *of_seed, *on_track])


def check_path(path: pathlib.Path, *suffixes: str) -> None:
    """Raise a RunError unless `path` lies in a folder that exists and ends in one of `suffixes`."""
    if path.suffix.lower() not in suffixes or not path.parent.is_dir():
        *most, last = suffixes
        kinds = f"{', '.join(most)} or {last}" if most else last
        raise RunError(f"--out must be a {kinds} file in a folder that exists, got {path}.")


def check_task(space: Box, task: tuple[float, ...]) -> None:
    """Raise a RunError unless `task` has one value an axis of `space`, each within its bounds."""
    if len(task) != space.dims:
        raise RunError(
            f"--task takes one value an axis, {', '.join(space.names)}: {space.dims} values, got"
            f" {len(task)}."
        )
    for name, value, low, high in zip(space.names, task, space.low, space.high):
        if not low <= value <= high:
            raise RunError(f"--task: {name} must lie between {low:g} and {high:g}, got {value:g}.")
