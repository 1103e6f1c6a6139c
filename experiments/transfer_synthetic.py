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


def linear_gaps(curve: jax.Array, slope: jax.Array) -> jax.Array:
    """The transfer matrix of a world that loses `slope` a context, never below 0."""
    number = jnp.arange(curve.shape[0])
    steps = jnp.abs(number[:, None] - number[None])
    return jnp.maximum(curve[:, None] - slope * steps, 0.0)


def scores(key: jax.Array, slope: jax.Array) -> dict[str, jax.Array]:
    """Coverage [NUM_POLICIES] of every rule on one world."""
    key_curve, key_rules = jax.random.split(key)
    matrix = linear_gaps(training_curve(key_curve), slope)
    found = curves(key_rules, matrix, NUM_POLICIES)
    for name, rule in ((MBTL, MbtlRule()), (PAPER, MbtlRule.paper(NUM_CONTEXTS))):
        told = dataclasses.replace(rule, slope=slope * (NUM_CONTEXTS - 1))
        order = transfer.mbtl(matrix, NUM_POLICIES, told)
        found[f"{name}, told the slope"] = transfer.coverage(matrix, order)
    return found


def means(num_draws: int) -> dict[str, np.ndarray]:
    """Mean coverage [slopes, NUM_POLICIES] of every rule, on the same curves for all slopes."""
    keys = jax.random.split(jax.random.key(0), num_draws)
    of_curves = jax.vmap(scores, in_axes=(0, None))
    found = jax.jit(jax.vmap(of_curves, in_axes=(None, 0)))(keys, jnp.array(SLOPES))
    return {name: np.asarray(each).mean(axis=1) for name, each in found.items()}


def table(slope: float, found: dict[str, np.ndarray]) -> str:
    """Coverage by rule and number of policies, as Markdown, the best rule on top."""
    head = " | ".join(map(str, COLUMNS))
    lines = [f"| loss of {slope} a context; policies: | {head} |", "|---|" + "---|" * len(COLUMNS)]
    for name in sorted(found, key=lambda name: -found[name].mean()):
        cells = (f"{found[name][num - 1]:.3f}" for num in COLUMNS)
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
    found = means(options.draws)
    tables = []
    for place, slope in enumerate(SLOPES):
        tables.append(table(slope, {name: each[place] for name, each in found.items()}))
    text = "\n".join(tables)
    options.file.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
