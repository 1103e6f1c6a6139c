"""Train an autoencoder of mazes, and say what it remembers of them.

    python experiments/train_maze_vae.py --out mine.npz [--kind sequence] [--size 9] [--walls 30]

It learns from random mazes with 0 to `--walls` walls, and is told what share of walls, goals and
agents of new ones it reads back, and what mazes random points of its box are. Teach with it by
`jaxcurriculum train --env maze --env.size 9 --env.decoder mine.npz --teacher clutr`.
"""

from __future__ import annotations

import argparse
import pathlib
import time

import jax
import jax.numpy as jnp
import numpy as np

import jaxcurriculum.envs as envs
from jaxcurriculum import use_cores
from jaxcurriculum.envs.maze.latent import (
    CellVaeConfig,
    LevelVae,
    SequenceVaeConfig,
    VaeTrainingConfig,
    cell_vae,
    load_vae,
    save_vae,
    sequence_vae,
    train_vae,
)
from jaxcurriculum.records import PyTree

NUM_MAZES = 2000  # new ones, and points


def make_vae(kind: str, size: int, most_walls: int, latent_dims: int) -> LevelVae:
    """A small one of this kind."""
    if kind == "cell":
        return cell_vae(CellVaeConfig(size=size, latent_dims=latent_dims, hidden=(128,)))
    sizes = {"size": size, "most_walls": most_walls, "latent_dims": latent_dims}
    return sequence_vae(SequenceVaeConfig(**sizes))


def remembered(vae: LevelVae, parameters: PyTree, mazes: envs.Mazes) -> dict[str, float]:
    """What of new mazes is decoded again from their own points, and what random points are."""
    key_mazes, key_points, key_decode = jax.random.split(jax.random.key(1), 3)
    real = jax.vmap(mazes.sample)(jax.random.split(key_mazes, NUM_MAZES))
    decode = jax.jit(jax.vmap(vae.decoder(parameters, mazes)))
    keys = jax.random.split(key_decode, NUM_MAZES)
    again = decode(keys, jax.vmap(lambda maze: vae.encode(parameters, maze))(real))
    drawn = decode(keys, jax.vmap(vae.space().sample)(jax.random.split(key_points, NUM_MAZES)))
    both = (real.walls & again.walls).sum()
    has_way = jax.vmap(envs.solvable)
    scores = {
        "cells right": (real.walls == again.walls).mean(),
        "walls found": both / real.walls.sum(),
        "walls that were there": both / jnp.maximum(again.walls.sum(), 1),
        "goals right": (real.goal == again.goal).all(-1).mean(),
        "agents right": (real.agent == again.agent).all(-1).mean(),
        "walls of a random maze": real.walls.sum((1, 2)).mean(),
        "walls of a random point": drawn.walls.sum((1, 2)).mean(),
        "their standard deviation": drawn.walls.sum((1, 2)).std(),
        "random mazes with a way": has_way(real).mean(),
        "random points with a way": has_way(drawn).mean(),
    }
    return {name: float(score) for name, score in scores.items()}


def main() -> None:
    """Train, write the file, and read it again."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the file, .npz")
    parser.add_argument("--kind", choices=("cell", "sequence"), default="cell")
    parser.add_argument("--size", type=int, default=13, help="cells a side")
    parser.add_argument("--walls", type=int, default=50, help="at most")
    parser.add_argument("--latent-dims", type=int, default=64, help="axes of the box")
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--divergence-weight", type=float, default=0.1)
    options = parser.parse_args()
    use_cores()
    mazes = envs.Mazes(size=options.size, num_walls=options.walls + 1, walls="uniform")
    vae = make_vae(options.kind, options.size, options.walls, options.latent_dims)
    config = VaeTrainingConfig(
        num_steps=options.steps,
        learning_rate=3e-3,
        divergence_weight=options.divergence_weight,
        warmup=options.steps // 6,
    )
    start = time.process_time()
    train = jax.jit(lambda key: train_vae(key, vae, mazes.sample, config))
    parameters, losses = train(jax.random.key(0))
    for name, values in losses.items():
        print(f"{name}: {np.mean(values[-100:]):.1f} nats")
    print(f"{time.process_time() - start:.0f} s of CPU")
    save_vae(options.out, vae, parameters)
    for name, score in remembered(*load_vae(options.out), mazes).items():
        print(f"{name}: {score:.3f}")


if __name__ == "__main__":
    main()
