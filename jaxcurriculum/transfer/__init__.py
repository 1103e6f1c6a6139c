"""Transfer over contexts: which policies to train, so that one of them does well on each.

The rules are pure functions of a transfer matrix, whose row is what was trained on, whose column
what it is used on: map them over trials with `jax.vmap`. `teachers.mbtl` follows the rule while it
trains.
"""

from jaxcurriculum.transfer.baselines import (
    coverage,
    equidistant,
    independent,
    oracle_transfer,
    pseudo_greedy,
    random,
    sequential_oracle,
)
from jaxcurriculum.transfer.mbtl import MbtlRule, line, mbtl

__all__ = [
    "MbtlRule",
    "coverage",
    "equidistant",
    "independent",
    "line",
    "mbtl",
    "oracle_transfer",
    "pseudo_greedy",
    "random",
    "sequential_oracle",
]
