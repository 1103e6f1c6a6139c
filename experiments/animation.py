"""An episode of a run's walker, played with the policy of the last checkpoint and drawn as a GIF."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl

from jaxcurriculum import Box, Environment
from jaxcurriculum.envs.walker.bodies import get_body
from jaxcurriculum.envs.walker.render import write_gif
from jaxcurriculum.experiments.errors import RunError
from jaxcurriculum.experiments.experiment import build
from jaxcurriculum.experiments.settings import Settings
from jaxcurriculum.experiments.store import Run
from jaxcurriculum.experiments.train import restore
from jaxcurriculum.types import Key, PyTree, level_key

MOST_FRAMES = 500  # of the GIF: long episodes are shown faster
STEPS_PER_SECOND = 50
RECENT = 5  # evaluations


def animate(
    run: Run, task: tuple[float, ...] = (), seed: int | None = None, track_seed: int = 0, out: pathlib.Path | None = None
) -> pathlib.Path:
    """Play one episode on `task` (by default `showpiece`'s) and write it as a GIF. Returns its path.

    Raises:
      RunError: when the run has no environment, no checkpoint or no such seed, or when the task, the track or the file cannot be.
    """
    experiment = build(Settings.recorded(run.config))
    env, student = experiment.environment, experiment.loop.student
    if env is None or student.act is None:
        raise RunError(f"{run.path} cannot be animated: {student.name} is a simulated student without an environment.")
    index = 0 if seed is None else seed - experiment.first_seed
    if not 0 <= index < experiment.num_seeds:
        last = experiment.first_seed + experiment.num_seeds - 1
        raise RunError(f"--seed must be one of the run's, {experiment.first_seed} to {last}, got {seed}.")
    task = task or showpiece(run, experiment.first_seed + index)
    check_task(experiment.space, task)
    path = run.figures / "walker.gif" if out is None else out
    if path.suffix.lower() != ".gif" or not path.parent.is_dir():
        raise RunError(f"--out must be a .gif file in a folder that exists, got {path}.")
    if not 0 <= track_seed < 2**32:
        raise RunError(f"--track-seed must lie between 0 and {2**32 - 1}, got {track_seed}.")
    states = jax.device_put(restore(experiment, run).student, jax.devices()[0])  # off the mesh of seeds: one walker, one device
    state = jax.tree.map(lambda leaf: leaf[index], states)
    level = env.generate(level_key(jnp.uint32(track_seed)), jnp.array(task, jnp.float32))
    act = student.act
    states, obs, rewards = play(env, lambda key, obs: act(key, state, obs, True), level)
    every = max(2, -(-len(rewards) // MOST_FRAMES))
    shown = range(0, len(rewards), every)
    returns = np.cumsum(rewards)
    named = ", ".join(f"{name.replace('_', ' ')} {value:.2f}" for name, value in zip(experiment.space.names, task))
    captions = [f"{named}      {(i + 1) / STEPS_PER_SECOND:4.1f} s      return {round(returns[i])}" for i in shown]
    frames = jax.tree.map(lambda leaf: leaf[shown.start :: every], states)
    write_gif(path, get_body(run.config["body"]), level, frames, obs[::every, -10:], captions)
    return path


def play(env: Environment, policy: Callable[[Key, jax.Array], jax.Array], level: PyTree) -> tuple[PyTree, np.ndarray, np.ndarray]:
    """One episode of `policy` (key, obs) -> action: environment states [steps, ...], observations, rewards, each after a step."""
    key_reset, key_steps = jax.random.split(jax.random.key(0))

    def step(carry, key):
        env_state, obs, over = carry
        key_act, key_step = jax.random.split(key)
        env_state, timestep = env.step(key_step, level, env_state, policy(key_act, obs))
        after = over | timestep.terminated | timestep.truncated
        return (env_state, timestep.obs, after), (env_state, timestep.obs, timestep.reward, over)

    @jax.jit
    def episode():
        env_state, timestep = env.reset(key_reset, level)
        keys = jax.random.split(key_steps, env.max_episode_steps)
        return jax.lax.scan(step, (env_state, timestep.obs, jnp.zeros((), bool)), keys)[1]

    states, obs, rewards, over = jax.tree.map(np.asarray, episode())
    length = int(np.sum(~over))
    return jax.tree.map(lambda leaf: leaf[:length], states), obs[:length], rewards[:length]


def showpiece(run: Run, seed: int) -> tuple[float, ...]:
    """Of the test tasks that `seed` mastered in each of the last evaluations, the one that took longest; the best one where there is none.

    A task that was mastered once may have been luck, and is often lost on another track.
    """
    tests = run.evaluations().filter(pl.col("seed") == seed)
    recent = pl.col("evaluation") > pl.col("evaluation").max() - RECENT
    share = tests.group_by("test_task").agg(pl.col("solved").mean().alias("share"))
    steady = tests.filter(recent).group_by("test_task").agg(pl.col("solved").all().alias("steady"))
    last = tests.filter(pl.col("evaluation") == pl.col("evaluation").max()).join(share, on="test_task").join(steady, on="test_task")
    best = last.sort("steady", "solved", -pl.col("share"), "return", descending=True)
    return best.select(run.meta["axes"]["names"]).row(0)


def check_task(space: Box, task: tuple[float, ...]) -> None:
    """Raise a RunError unless `task` has one value an axis of `space`, each within its bounds."""
    if len(task) != space.dims:
        raise RunError(f"--task takes one value an axis, {', '.join(space.names)}: {space.dims} values, got {len(task)}.")
    for name, value, low, high in zip(space.names, task, space.low, space.high):
        if not low <= value <= high:
            raise RunError(f"--task: {name} must lie between {low:g} and {high:g}, got {value:g}.")
