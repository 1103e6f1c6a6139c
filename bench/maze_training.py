"""Learning on mazes, 32 x 256 steps a round: steps a second of one core, and where a round goes.

`small` is the network of our study, a GRU of 64; `as jaxued's` has a convolution over Minigrid's
codes and an LSTM of 256, five epochs and whole rounds as minibatches; a layer of 256 between the
two, which jaxued does not have, makes 1.3 times its products. PLR and ACCEL replay from 128 levels,
as soon as 64 are known. Seconds of the processor, not of the clock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.measure import cpu_seconds, pin

COLUMNS = ("what", "network", "seeds", "steps/s", "ms/round", "share %")
ROUNDS = 4  # a call
SMALL = {"student.memory_size": 64}
LARGE = {
    "env.image": "codes",
    "student.memory": "lstm",
    "student.memory_size": 256,
    "student.num_epochs": 5,
    "student.minibatch_size": 8192,
}
REPLAY = {
    "robust-plr": {"teacher.capacity": 128},
    "accel": {"teacher.replay.capacity": 128},
}
NETWORKS = {"small": SMALL, "as jaxued's": LARGE}


def measure(quick: bool) -> list[dict[str, Any]]:
    """Whole rounds of each teacher, network and number of seeds, then the parts of a round."""
    wholes = [("random", "small", 1), ("random", "small", 8), ("random", "as jaxued's", 1)]
    if not quick:
        wholes += [(teacher, "small", 1) for teacher in ("robust-plr", "accel", "paired")]
    repeats = 2 if quick else 4
    rows = [whole(*each, repeats) for each in wholes]
    return rows + [row for name in ("random", "robust-plr") for row in parts(name, repeats)]


def made(teacher: str, network: str) -> Any:
    """What `jaxcurriculum train` would run."""
    from jaxcurriculum.cli.build import set_up
    from jaxcurriculum.cli.settings import Settings

    names = {"env": "maze", "student": "ppo-gru", "teacher": teacher}
    return set_up(Settings(**names, fields=NETWORKS[network] | REPLAY.get(teacher, {})))


def whole(teacher: str, network: str, num_seeds: int, repeats: int) -> dict[str, Any]:
    """Rounds without evaluation; steps are those of all students."""
    import jax
    import jax.numpy as jnp

    from jaxcurriculum import map_seeds

    loop = made(teacher, network).loop

    def advance(state, start):
        rounds = start + jnp.arange(ROUNDS, dtype=jnp.int32)
        return jax.lax.scan(lambda state, i: (loop.round(state, i)[0], None), state, rounds)[0]

    run = map_seeds(advance, num_seeds, num_seeds)
    keys = jax.random.split(jax.random.key(0), num_seeds)
    held = [map_seeds(loop.init, num_seeds, num_seeds)(keys)]

    def go_on():
        held[0] = run(held[0], jnp.int32(0))
        return held[0]

    duration = cpu_seconds(go_on, repeats) / ROUNDS
    steps = num_seeds * loop.student.steps_per_round
    row = {"what": teacher, "network": network, "seeds": num_seeds}
    return row | {"steps/s": steps / duration, "ms/round": 1e3 * duration}


def parts(name: str, repeats: int) -> list[dict[str, Any]]:
    """Each part compiled and timed alone, one seed, the small network."""
    durations = {what: cpu_seconds(call, repeats) for what, call in calls(name).items()}
    acting, mazes = durations.pop("acting"), durations.pop("mazes")
    training, whole_round = durations.pop("training"), durations.pop("round")
    shares = {
        "mazes: steps, observations, new levels": mazes,
        "policy": acting - mazes,
        "update": training - acting,
        "teacher": durations.pop("teaching"),
        "round": whole_round,
    }
    return [
        {"what": f"{name}: {what}", "network": "small", "seeds": 1}
        | {"ms/round": 1e3 * duration, "share %": 100 * duration / whole_round}
        for what, duration in shares.items()
    ]


def calls(name: str) -> dict[str, Callable[[], Any]]:
    """Calls that each do a part of a round."""
    import jax
    import jax.numpy as jnp

    from jaxcurriculum.roles import Context
    from jaxcurriculum.rollout.collect import collect

    setup = made(name, "small")
    loop, env, sizes = setup.loop, setup.env, setup.configs["student"].rollout
    teacher, student = loop.teacher, loop.student
    state = jax.jit(loop.init)(jax.random.key(0))
    for turn in range(3):  # until there is something to replay
        state, episodes = jax.jit(loop.round)(state, jnp.int32(turn))
    key = jax.random.key(1)
    propose = jax.jit(teacher.propose, static_argnums=2)
    _, proposals = propose(key, state.teacher, student.num_proposals)

    @jax.jit
    def mazes(key, rollout):
        def stand(key, memory, obs, first):
            return memory, jax.random.randint(key, first.shape, 0, env.action_space.num), None

        return collect(key, env, sizes, rollout, proposals, stand)

    @jax.jit
    def acting(key, own):
        def policy(key, memory, obs, first):
            return *student.act(key, own, memory, obs, first, False), None

        return collect(key, env, sizes, own.rollout, proposals, policy)

    @jax.jit
    def teaching(key, own):
        context = Context(round=jnp.int32(3), num_steps=jnp.int32(0), probe=lambda *_: None)
        own, proposals = teacher.propose(key, own, student.num_proposals)
        return teacher.update(key, own, episodes, context), proposals

    train, round = jax.jit(student.train), jax.jit(loop.round)
    return {
        "mazes": lambda: mazes(key, state.student.rollout),
        "acting": lambda: acting(key, state.student),
        "training": lambda: train(key, state.student, proposals, jnp.int32(3)),
        "teaching": lambda: teaching(key, state.teacher),
        "round": lambda: round(state, jnp.int32(3)),
    }


if __name__ == "__main__":
    from bench.report import main

    pin(1)
    main(measure)
