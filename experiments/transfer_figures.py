"""What the study of transfer found, as a figure and a table a world."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from transfer_rules import MBTL, PAPER, curves
from transfer_worlds import World

from jaxcurriculum import transfer
from jaxcurriculum.report.style import BLUE, ORANGE

MOST_POLICIES = 30  # that a rule chooses
COLUMNS = (1, 2, 3, 5, 10, 15)
STYLES = {
    MBTL: {"color": BLUE, "linewidth": 2.5},
    PAPER: {"color": BLUE, "linestyle": ":", "linewidth": 2},
    "random": {"color": "0.55", "linewidth": 2},
    "equidistant": {"color": "#009E73", "linewidth": 1.5},
    "pseudo-greedy": {"color": "#CC79A7", "linewidth": 1.5},
    "sequential oracle": {"color": "black", "linestyle": "--", "linewidth": 1.5},
}
INDEPENDENT, MULTI_TASK = "independent", "multi-task"
LEVELS = {
    INDEPENDENT: {"color": ORANGE, "linewidth": 1.5},
    MULTI_TASK: {"color": ORANGE, "linestyle": "--", "linewidth": 1.5},
}


def replayed(world: World, matrices: np.ndarray) -> dict[str, np.ndarray]:
    """Coverage [trials, policies] of every rule on matrices of raw returns."""
    num = min(MOST_POLICIES, len(world.contexts))
    keys = jax.random.split(jax.random.key(0), len(matrices))
    scaled = jnp.asarray(world.scaled(matrices))
    rules = jax.jit(jax.vmap(lambda key, matrix: curves(key, matrix, num)))
    return jax.tree.map(np.asarray, rules(keys, scaled))


def bounds(world: World, found: dict[str, np.ndarray]) -> dict[str, float]:
    """What rules are measured by, means over trials: a policy a context, and one for all."""
    scaled = jnp.asarray(world.scaled(found["matrices"]))
    return {
        INDEPENDENT: float(jax.vmap(transfer.independent)(scaled).mean()),
        MULTI_TASK: float(world.scaled(found["of_all"])[:, -1].mean()),
        "oracle transfer": float(jax.vmap(transfer.oracle_transfer)(scaled).mean()),
    }


def of_all_contexts(world: World, found: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The steps, as many as so many policies took, and the scaled return of the one policy that
    learns on all contexts, both [checks].
    """
    learned = world.scaled(found["of_all"]).mean(axis=(0, 2))
    return len(world.contexts) * np.arange(1, len(learned) + 1) / len(learned), learned


def first_reaching(curve: np.ndarray, levels: dict[str, float]) -> int | None:
    """The number of policies with which `curve` ([policies]) first reaches both baselines, as far
    as three digits tell.

    >>> first_reaching(np.array([0.2, 0.6]), {"independent": 0.5, "multi-task": 0.4})
    2
    """
    reached = curve.round(3) >= round(max(levels[INDEPENDENT], levels[MULTI_TASK]), 3)
    return int(np.argmax(reached)) + 1 if reached.any() else None


def table(world: World, found: dict[str, np.ndarray]) -> str:
    """Mean coverage by rule and number of policies, then the bounds, as Markdown."""
    levels = bounds(world, found)
    head = " | ".join(map(str, COLUMNS))
    lines = [f"| policies | {head} | reaches both with |", "|---|" + "---|" * (len(COLUMNS) + 1)]
    for name, each in replayed(world, found["matrices"]).items():
        curve = each.mean(axis=0)
        first = first_reaching(curve, levels)
        cells = (f"{curve[num - 1]:.3f}" if num <= len(curve) else "" for num in COLUMNS)
        lines.append(f"| {name} | {' | '.join(cells)} | {first or 'never'} |")
    steps, learned = of_all_contexts(world, found)
    values = np.interp(COLUMNS, steps, learned, left=np.nan, right=np.nan)
    cells = ["" if np.isnan(value) else f"{value:.3f}" for value in values]
    lines.append(f"| {MULTI_TASK}, as many steps | {' | '.join(cells)} | |")
    said = ", ".join(f"{name} {value:.3f}" for name, value in levels.items())
    return "\n".join(lines) + f"\n\n{said}; {_trials(found['matrices'])}.\n"


def figure(world: World, found: dict[str, np.ndarray]) -> Figure:
    """The mean transfer matrix, and coverage against the number of policies."""
    drawn = Figure(figsize=(11, 4.4), layout="constrained")
    left, right = drawn.subplots(1, 2, width_ratios=(1, 1.35))
    _draw_matrix(drawn, left, world, found["matrices"])
    _draw_curves(right, world, found)
    return drawn


def _draw_curves(ax: Axes, world: World, found: dict[str, np.ndarray]) -> None:
    levels, num = bounds(world, found), len(world.contexts)
    curves = {name: each.mean(axis=0) for name, each in replayed(world, found["matrices"]).items()}
    for name, curve in curves.items():
        ax.plot(np.arange(1, len(curve) + 1), curve, label=name, **STYLES[name])
    for name, style in LEVELS.items():
        ax.axhline(levels[name], label=f"{name}, {num} policies' steps", **style)
    first = first_reaching(curves[MBTL], levels)
    if first is not None:
        ax.axvline(first, color=BLUE, alpha=0.4, label=f"MBTL reaches both with {first}")
    steps, learned = of_all_contexts(world, found)
    ax.plot(steps, learned, label=f"{MULTI_TASK}, as many steps", color=ORANGE, linestyle=":")
    ax.set(xlabel="policies trained", ylabel="mean return over contexts, scaled")
    ax.set_xlim(1, len(curves[MBTL]))
    ax.legend(frameon=False, fontsize=8, loc="lower right")
    ax.grid(alpha=0.25)


def _draw_matrix(drawn: Figure, ax: Axes, world: World, matrices: np.ndarray) -> None:
    low, high = float(world.contexts[0, 0]), float(world.contexts[-1, 0])
    scaled = world.scaled(matrices).mean(axis=0)
    edges = (low, high, low, high)
    shown = ax.imshow(scaled, origin="lower", extent=edges, aspect="auto", vmin=0, vmax=1)
    ax.set(xlabel=f"used on: {world.axis}", ylabel="trained on")
    ax.set_title(f"return, scaled; {_trials(matrices)}", fontsize=11)
    drawn.colorbar(shown, ax=ax)


def _trials(matrices: np.ndarray) -> str:
    return "one trial" if len(matrices) == 1 else f"mean of {len(matrices)} trials"
