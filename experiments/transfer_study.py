"""How policies transfer over contexts, and how few of them each rule of `transfer` needs.

    python experiments/transfer_study.py [--worlds cart-pole-mass ...] [--trials 3]
                                         [--folder results/transfer]

For every trial a policy is trained on each of the contexts, all in one `vmap`, and plays all of
them: the transfer matrix. One more policy is trained on all contexts with the budget of all of
them together. The matrices stand in WORLD.npz; a trial that stands there is not run again. The
rules are replayed on them, which is drawn in WORLD.png and tabulated in transfer.md, for all worlds
that have a file. With --trials 0 nothing is run.
"""

from __future__ import annotations

import argparse
import pathlib
import time

import jax
import jax.numpy as jnp
import matplotlib
import numpy as np
from transfer_figures import figure, table
from transfer_worlds import WORLDS, World

from jaxcurriculum import (
    Context,
    Episodes,
    LoopConfig,
    Proposals,
    Student,
    Teacher,
    fresh_proposals,
    make_loop,
    map_seeds,
    students,
    use_cores,
)
from jaxcurriculum.records import Key, PyTree
from jaxcurriculum.report.style import STYLE
from jaxcurriculum.rollout import RolloutConfig

NUM_CHECKS = 20  # evaluations of the policy of all contexts, evenly over its training


def among(tasks: jax.Array) -> Teacher:
    """A teacher that draws from `tasks` [num, dims], all equally likely, whatever happens."""

    def propose(key: Key, state: PyTree, num: int) -> tuple[PyTree, Proposals]:
        key_tasks, key_seeds = jax.random.split(key)
        drawn = jax.random.choice(key_tasks, tasks, (num,))
        return state, fresh_proposals(key_seeds, drawn)

    def update(
        key: Key, state: PyTree, episodes: Episodes, context: Context
    ) -> tuple[PyTree, jax.Array]:
        return state, jnp.int32(0)

    return Teacher(
        name="among",
        init=lambda key: (),
        propose=propose,
        update=update,
        report=lambda state: {},
    )


def matrix(world: World, trial: int) -> np.ndarray:
    """Mean returns [trained on, used on] of a policy for each context."""
    rollout = RolloutConfig(num_envs=world.num_envs, num_steps=world.num_steps, pool_size=128)
    student = students.ppo(world.make(False), world.ppo, rollout)
    rounds = round(world.steps / student.steps_per_round)
    num = len(world.contexts)

    def train(lane: tuple[Key, jax.Array]) -> PyTree:
        key, task = lane
        loop = make_loop(among(task[None]), student, world.contexts)

        def one_round(state: PyTree, round: jax.Array) -> tuple[PyTree, None]:
            return loop.round(state, round)[0], None

        numbers = jnp.arange(rounds, dtype=jnp.int32)
        return jax.lax.scan(one_round, loop.init(key), numbers)[0].student

    keys = jax.random.split(jax.random.key(trial), num)
    lanes = (keys, jnp.asarray(world.contexts))
    trained = map_seeds(train, num, group=num // 2)(lanes)
    played = map_seeds(lambda state: play(student, state, world), num, group=num // 2)(trained)
    return np.asarray(played)


def play(student: Student, state: PyTree, world: World) -> jax.Array:
    """Mean return on each context of a policy's mean actions, [num_contexts]."""
    num = len(world.contexts)
    seeds = jnp.arange(num, dtype=jnp.uint32)
    tasks = jnp.asarray(world.contexts)
    asked = (tasks, seeds, world.num_episodes, True)
    returns = student.evaluate(jax.random.key(0), state, *asked).returns
    return jnp.mean(returns.reshape(num, world.num_episodes), axis=1)


def of_all_contexts(world: World, trial: int) -> np.ndarray:
    """Mean returns [NUM_CHECKS, num_contexts] of one policy while it learns on all contexts.

    It has as many steps as all policies of `matrix` together, eight times as many environments
    as one of them, and minibatches as much larger.
    """
    wider = RolloutConfig(num_envs=8 * world.num_envs, num_steps=world.num_steps, pool_size=8 * 128)
    student = students.ppo(world.make(True), world.ppo_of_all, wider)
    budget = world.steps * len(world.contexts)
    rounds = round(budget / student.steps_per_round / NUM_CHECKS)
    config = LoopConfig(rounds_per_evaluation=rounds, num_test_episodes=world.num_episodes)
    contexts = jnp.asarray(world.contexts)
    loop = make_loop(among(contexts), student, contexts, config)
    advance = map_seeds(loop.advance, 1)
    state, checks = jax.vmap(loop.init)(jax.random.split(jax.random.key(trial), 1)), []
    for check in range(NUM_CHECKS):
        state, report = advance(state, jnp.int32(check * rounds))
        returns = report.evaluation.returns.reshape(len(contexts), world.num_episodes)
        checks.append(np.asarray(returns.mean(axis=1)))
    return np.stack(checks)


def run(world: World, path: pathlib.Path, trial: int) -> None:
    """Add a trial to the matrices and policies of all contexts in `path`, if it is missing."""
    found = read(world, path) if path.exists() else {"matrices": (), "of_all": ()}
    if trial < len(found["matrices"]):
        return
    start = time.perf_counter()
    new = {"matrices": matrix(world, trial), "of_all": of_all_contexts(world, trial)}
    matrices, of_all = (np.stack([*found[name], new[name]]).round(2) for name in new)
    np.savez_compressed(path, matrices=matrices, of_all=of_all)
    print(f"{path.stem}, trial {trial}: {time.perf_counter() - start:.0f} s", flush=True)


def read(world: World, path: pathlib.Path) -> dict[str, np.ndarray]:
    """The trials in `path`.

    Raises:
      SystemExit: when they are those of other contexts.
    """
    found = dict(np.load(path))
    num = found["matrices"].shape[-1]
    if num != len(world.contexts):
        raise SystemExit(
            f"{path} holds a study of {num} contexts, not of {len(world.contexts)}: move it away,"
            " or choose another --folder."
        )
    return found


def main() -> None:
    """Run the study, then draw and write what it found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    results = pathlib.Path(__file__).parent / "results"
    parser.add_argument("--worlds", nargs="+", choices=WORLDS, default=list(WORLDS))
    parser.add_argument("--trials", type=int, default=3, help="of every world")
    parser.add_argument("--folder", type=pathlib.Path, default=results / "transfer")
    options = parser.parse_args()
    use_cores()
    options.folder.mkdir(parents=True, exist_ok=True)
    for trial in range(options.trials):
        for name in options.worlds:
            run(WORLDS[name], options.folder / f"{name}.npz", trial)
    report(options.folder)


def report(folder: pathlib.Path) -> None:
    """Draw every world that has a file in `folder`, and tabulate them all."""
    tables = []
    for name, world in WORLDS.items():
        path = folder / f"{name}.npz"
        if not path.exists():
            continue
        found = read(world, path)
        with matplotlib.rc_context(STYLE):
            figure(world, found).savefig(path.with_suffix(".png"), dpi=110)
        tables.append(f"{name}\n\n{table(world, found)}")
    (folder / "transfer.md").write_text("\n".join(tables))


if __name__ == "__main__":
    main()
