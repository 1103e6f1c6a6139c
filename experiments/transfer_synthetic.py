"""MBTL on made-up worlds whose generalisation gap is linear, as its rule assumes.

    python experiments/transfer_synthetic.py [--draws 100] [--file results/transfer_synthetic.md]

A policy trained on context i returns J(i) there and loses `slope` with every context on the way to
another; J is a smooth curve, drawn at random. The table shows how well 1 to 15 policies cover 100
contexts. The published rule assumes a slope of 0.005, whatever the world.
"""

from __future__ import annotations

import argparse
import dataclasses
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
from transfer_rules import MBTL, PAPER, curves

from jaxcurriculum import transfer
from jaxcurriculum.transfer import MbtlRule

NUM_CONTEXTS = 100
NUM_POLICIES = 15
COLUMNS = (1, 2, 3, 5, 10, 15)
SLOPES = (0.02, 0.005)  # of return in [0, 1], a context
# periods in the range of contexts, and the standard deviation of each wave's height
FREQUENCIES = np.array([0.5, 1.0, 2.0, 3.0])
HEIGHTS = np.array([0.15, 0.15, 0.1, 0.05])


def training_curve(key: jax.Array) -> jax.Array:
    """Returns in [0, 1] of policies where they were trained, [NUM_CONTEXTS]: waves about 0.7."""
    key_phase, key_height = jax.random.split(key)
    phase = jax.random.uniform(key_phase, FREQUENCIES.shape)
    height = HEIGHTS * jax.random.normal(key_height, HEIGHTS.shape)
    place = transfer.line(NUM_CONTEXTS)
    waves = jnp.sin(2 * jnp.pi * (FREQUENCIES[None] * place + phase[None]))
    return jnp.clip(0.7 + waves @ height, 0.0, 1.0)


def linear_gaps(curve: jax.Array, slope: float) -> jax.Array:
    """The transfer matrix of a world that loses `slope` a context, never below 0."""
    number = jnp.arange(curve.shape[0])
    steps = jnp.abs(number[:, None] - number[None])
    return jnp.maximum(curve[:, None] - slope * steps, 0.0)


def scores(slope: float, num_draws: int) -> dict[str, np.ndarray]:
    """Coverage [num_draws, NUM_POLICIES] of every rule."""

    def one(key: jax.Array) -> dict[str, jax.Array]:
        key_curve, key_rules = jax.random.split(key)
        matrix = linear_gaps(training_curve(key_curve), slope)
        told = slope * (NUM_CONTEXTS - 1)
        told_paper = dataclasses.replace(MbtlRule.paper(NUM_CONTEXTS), slope=told)
        variants = {f"{MBTL}, told the slope": MbtlRule(slope=told)}
        variants[f"{PAPER}, told the slope"] = told_paper
        return curves(key_rules, matrix, NUM_POLICIES) | {
            name: transfer.coverage(matrix, transfer.mbtl(matrix, NUM_POLICIES, rule))
            for name, rule in variants.items()
        }

    keys = jax.random.split(jax.random.key(0), num_draws)
    return jax.tree.map(np.asarray, jax.jit(jax.vmap(one))(keys))


def table(slope: float, num_draws: int) -> str:
    """Mean coverage by rule and number of policies, as Markdown."""
    found = scores(slope, num_draws)
    head = " | ".join(map(str, COLUMNS))
    lines = [f"| loss of {slope} a context; policies: | {head} |", "|---|" + "---|" * len(COLUMNS)]
    for name in sorted(found, key=lambda name: -found[name].mean()):
        means = found[name].mean(axis=0)
        cells = (f"{means[num - 1]:.3f}" for num in COLUMNS)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    results = pathlib.Path(__file__).parent / "results"
    parser.add_argument("--draws", type=int, default=100, help="training curves")
    parser.add_argument("--file", type=pathlib.Path, default=results / "transfer_synthetic.md")
    options = parser.parse_args()
    text = "\n".join(table(slope, options.draws) for slope in SLOPES)
    options.file.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
