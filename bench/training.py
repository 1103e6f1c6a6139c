"""End-to-end training of the main job: steps a second, a second seed, where the time goes.

Shares are of one seed on one core: each part is compiled and timed alone, at the sizes of the main
job; `whole` is the round itself. The host's share is measured in a real run on disk: the time that
its thread spends on files, tables and the progress bar.
"""

from __future__ import annotations

import contextlib
import io
import pathlib
import tempfile
import time
from collections.abc import Callable
from typing import Any

from bench.measure import pin, seconds

COLUMNS = ("what", "seeds", "devices", "steps/s", "ms/round", "share %")
ROUNDS = 8  # a call


def measure(quick: bool) -> list[dict[str, Any]]:
    """Total speed for 1 and 2 seeds, then a row a part of the round, then the host."""
    import jax

    rows = [_whole(seeds) for seeds in (1, 2)]
    rows[1]["what"] = f"main job ({rows[1]['steps/s'] / rows[0]['steps/s']:.2f} times one seed)"
    return [*rows, *_parts(jax.devices()[0]), _host(quick)]


def _experiment(num_seeds: int, steps: float):
    from jaxcurriculum.cli.build import build
    from jaxcurriculum.cli.settings import Settings

    return build(Settings(seeds=num_seeds, steps=steps))


def _whole(num_seeds: int) -> dict[str, Any]:
    """The rounds of one advance, without its evaluation."""
    import jax

    go_on, steps = advancing(num_seeds)
    devices = len(jax.tree.leaves(go_on())[0].sharding.device_set)
    duration = seconds(go_on, repeats=3)
    return {
        "what": "main job",
        "seeds": num_seeds,
        "devices": devices,
        "steps/s": steps / duration,
        "ms/round": 1e3 * duration / ROUNDS,
    }


def advancing(num_seeds: int) -> tuple[Callable[[], Any], int]:
    """A call that trains `num_seeds` seeds for ROUNDS rounds more, and how many steps it has."""
    import jax
    import jax.numpy as jnp

    from jaxcurriculum import map_seeds

    experiment = _experiment(num_seeds, 1e6)
    loop, group = experiment.loop, experiment.group

    def advance(state, start):
        return jax.lax.scan(
            lambda state, i: (loop.round(state, start + i)[0], None),
            state,
            jnp.arange(ROUNDS, dtype=jnp.int32),
        )[0]

    run = map_seeds(advance, num_seeds, group)
    held = [map_seeds(loop.init, num_seeds, group)(jax.random.split(jax.random.key(0), num_seeds))]

    def go_on():
        held[0] = run(held[0], jnp.int32(0))
        return held[0]

    return go_on, num_seeds * ROUNDS * loop.student.steps_per_round


def _parts(device) -> list[dict[str, Any]]:
    import jax
    import jax.numpy as jnp

    from jaxcurriculum import envs
    from jaxcurriculum.roles import Context
    from jaxcurriculum.rollout import RolloutConfig
    from jaxcurriculum.rollout.collect import collect

    loop, sizes, env = _experiment(1, 1e6).loop, RolloutConfig(), envs.stump_tracks()
    teacher, student = loop.teacher, loop.student
    state = jax.jit(loop.init)(jax.random.key(0))
    for round in range(3):
        state, episodes = jax.jit(loop.round)(state, jnp.int32(round))
    key, num_envs = jax.random.key(1), sizes.num_envs
    _, proposals = jax.jit(teacher.propose, static_argnums=2)(
        key, state.teacher, student.num_proposals
    )

    def stand(key, memory, obs, first):
        return memory, jnp.zeros((num_envs, env.action_space.dims)), None

    @jax.jit
    def physics(key, rollout):
        return collect(key, env, sizes, rollout, proposals, stand)

    @jax.jit
    def acting(key, student_state):
        def policy(key, memory, obs, first):
            memory, action = student.act(key, student_state, memory, obs, first, False)
            return memory, action, None

        return collect(key, env, sizes, student_state.rollout, proposals, policy)

    @jax.jit
    def teaching(key, teacher_state):
        context = Context(round=jnp.int32(3), num_steps=jnp.int32(0), probe=lambda *_: None)
        teacher_state, proposals = teacher.propose(key, teacher_state, student.num_proposals)
        return teacher.update(key, teacher_state, episodes, context), proposals

    train = jax.jit(student.train)
    whole = seconds(lambda: jax.jit(loop.round)(state, jnp.int32(3)))
    stepping = seconds(lambda: physics(key, state.student.rollout))
    with_policy = seconds(lambda: acting(key, state.student))
    training = seconds(lambda: train(key, state.student, proposals, jnp.int32(3)))
    parts = {
        "physics, observation, pool": stepping,
        "policy": with_policy - stepping,
        "update (PPO, GAE, records)": training - with_policy,
        "teacher": seconds(lambda: teaching(key, state.teacher)),
    }
    row = lambda what, duration: {
        "what": what,
        "seeds": 1,
        "devices": 1,
        "ms/round": 1e3 * duration,
        "share %": 100 * duration / whole,
    }
    return [row(what, duration) for what, duration in [*parts.items(), ("whole", whole)]]


def _host(quick: bool) -> dict[str, Any]:
    """Time of recorder and progress bar over a run's wall time after its first evaluation."""
    from rich.console import Console

    from jaxcurriculum.runs import host
    from jaxcurriculum.runs.store import Run

    spent, began = [0.0], [0.0]

    def timed(owner, name):
        function = getattr(owner, name)

        def wrapper(*args):
            began[0] = began[0] or time.perf_counter()
            start = time.perf_counter()
            try:
                return function(*args)
            finally:
                spent[0] += time.perf_counter() - start

        setattr(owner, name, wrapper)

    for owner, name in ((host.Recorder, "add"), (host.Recorder, "flush"), (host.Watch, "show")):
        timed(owner, name)
    experiment = _experiment(2, 1e6 if quick else 3e6)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        run, silent = Run(pathlib.Path(folder) / "run"), Console(file=io.StringIO())
        host.run_experiment(experiment, run, silent)
    wall = time.perf_counter() - began[0]
    return {
        "what": "host (files, progress)",
        "seeds": 2,
        "devices": 2,
        "share %": 100 * spent[0] / wall,
    }


if __name__ == "__main__":
    from bench.report import main

    pin(2)
    main(measure)
