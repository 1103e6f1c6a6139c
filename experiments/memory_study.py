"""Which memories repeat what was seen: PPO on Repeat Previous (POPGym), return against steps.

    python experiments/memory_study.py [--seeds 5] [--worlds easy ...] [--memories gru ...]
                                       [--folder memory_study]

Writes memory_study.json and memory_study.png. A pair of world and memory that stands in the file is
not run again, so a study that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import dataclasses
import pathlib
from typing import Any

import jax.numpy as jnp
import matplotlib
import numpy as np
from matplotlib import ticker
from matplotlib.figure import Figure
from side_by_side import add_row

import jaxcurriculum.envs as envs
from jaxcurriculum import Loop, LoopConfig, make_loop, students, teachers
from jaxcurriculum.report.style import BLUE, ORANGE, STYLE
from jaxcurriculum.rollout import RolloutConfig

NUM_EVALUATIONS = 10
NUM_TEST_GAMES = 50
# What an answer is worth is told at once, and no answer changes what is shown later: the return
# that is still to come is noise. Hence a discount of 0.
PPO = students.PpoConfig(
    hidden=(64,),
    memory_size=64,
    num_epochs=4,
    minibatch_size=8 * 104,
    learning_rate=1e-3,
    discount=0.0,
    gae_lambda=0.0,
)
ROLLOUT = RolloutConfig(num_envs=32, num_steps=104, pool_size=128)
MEMORIES = {
    "none": ("0.55", PPO),
    "gru": (ORANGE, dataclasses.replace(PPO, memory="gru")),
    "lstm": ("#009E73", dataclasses.replace(PPO, memory="lstm")),
    "s5": (BLUE, dataclasses.replace(PPO, memory="s5", memory_layers=2)),
}


@dataclasses.dataclass(frozen=True)
class World:
    """Repeat Previous with one delay, practised for so many rounds of 3,328 steps."""

    delay: int
    num_decks: int
    num_rounds: int

    def loop(self, memory: str) -> Loop:
        """PPO with one kind of memory."""
        env = envs.repeat_previous((self.delay, self.delay), self.num_decks)
        student = students.ppo(env, MEMORIES[memory][1], ROLLOUT)
        tests = jnp.full((NUM_TEST_GAMES, 1), float(self.delay))
        every = LoopConfig(rounds_per_evaluation=self.num_rounds // NUM_EVALUATIONS)
        return make_loop(teachers.random(env.task_space), student, tests, every)


WORLDS = {
    "easy": World(delay=4, num_decks=1, num_rounds=60),
    "medium": World(delay=32, num_decks=2, num_rounds=400),
}


def figure(rows: dict[str, dict[str, Any]]) -> Figure:
    """A panel a world: every seed's return as a thin line, their mean as a thick one."""
    worlds = [name for name in WORLDS if any(row.startswith(name) for row in rows)]
    drawn = Figure(figsize=(4.6 * len(worlds), 3.4), layout="constrained")
    panels = np.atleast_1d(drawn.subplots(1, len(worlds), sharey=True))
    for ax, name in zip(panels, worlds):
        world = WORLDS[name]
        for memory, (colour, _) in MEMORIES.items():
            row = rows.get(f"{name}, {memory}")
            if row is not None:
                curves = np.array(row["returns"])
                ax.plot(row["steps"], curves.T, color=colour, linewidth=0.7, alpha=0.5)
                ax.plot(row["steps"], curves.mean(0), color=colour, linewidth=2, label=memory)
        ax.set_title(f"{name}: {world.delay} steps ago, {world.num_decks * 52} cards")
        ax.set(xlabel="steps", xlim=(0, None), ylim=(-1.02, 1.02))
        ax.xaxis.set_major_formatter(ticker.EngFormatter(sep=""))
        ax.grid(alpha=0.25)
    panels[0].set_ylabel("test return")
    panels[-1].legend(frameon=False, loc="center right")
    return drawn


def main() -> None:
    """Run the study, then draw what it found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--worlds", nargs="+", choices=WORLDS, default=list(WORLDS))
    parser.add_argument("--memories", nargs="+", choices=MEMORIES, default=list(MEMORIES))
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("memory_study"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    path = options.folder / "memory_study.json"
    rows = {}
    for name in options.worlds:
        for memory in options.memories:
            row = f"{name}, {memory}"
            loop = lambda name=name, memory=memory: WORLDS[name].loop(memory)
            rows[row] = add_row(path, row, loop, options.seeds, NUM_EVALUATIONS)
    with matplotlib.rc_context(STYLE):
        figure(rows).savefig(options.folder / "memory_study.png", dpi=110)


if __name__ == "__main__":
    main()
