"""What the studies of TeachMyAgent's five challenges found: a table and the profile chart.

    python experiments/teach_my_agent.py FOLDER [--out experiments]

FOLDER holds a study a challenge, as `teach_my_agent_studies.py` runs them, or the tables that
`keep_results.py` has kept of them. Writes OUT/results/teach_my_agent.png, and the table into
OUT/teach_my_agent.md. The prose there is to be read again.
"""

from __future__ import annotations

import argparse
import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pages import print_written, refresh

from jaxcurriculum.report.conditions import conditions_of, last_steps
from jaxcurriculum.report.reading import read_all, runs_in
from jaxcurriculum.report.results import place_of
from jaxcurriculum.report.statistics import bootstrap_interval, permutation_p_value
from jaxcurriculum.report.style import COLOURS, STYLE
from jaxcurriculum.report.tables import markdown_table

EXPERIMENTS = pathlib.Path(__file__).parent
CHALLENGES = ("mostly-unfeasible", "mostly-trivial", "forgetting", "rugged", "diverse")
OTHERS = ("alp-gmm-tma", "riac-tma", "adr-tma", "self-paced", "goal-gan", "plr")
TEACHERS: dict[str, str] = dict(zip(("random", *OTHERS), ("0.55", *COLOURS)))
SIGNIFICANT = 0.05


@dataclasses.dataclass(frozen=True)
class Challenge:
    """% mastered at the end of one challenge by each seed, by teacher."""

    name: str
    steps: int
    mastered: dict[str, np.ndarray]  # [seeds]

    def ratio(self, teacher: str) -> tuple[float, float, float]:
        """The mean of `teacher` in units of random's, and its 95 % interval; nan where random
        masters nothing.
        """
        own, baseline = self.mastered[teacher], self.mastered["random"]
        if baseline.mean() == 0:
            return np.nan, np.nan, np.nan
        low, high = bootstrap_interval(own, baseline, statistic=_ratio_of_means)
        return float(_ratio_of_means(own, baseline)), float(low), float(high)

    def p_value(self, teacher: str) -> float:
        """Of the permutation test against random."""
        return float(permutation_p_value(self.mastered["random"], self.mastered[teacher]))


def _ratio_of_means(own: np.ndarray, baseline: np.ndarray, axis: int = -1) -> np.ndarray:
    means = np.mean(baseline, axis=axis)
    return np.mean(own, axis=axis) / np.where(means > 0, means, np.nan)


def read_challenges(folder: pathlib.Path) -> list[Challenge]:
    """The challenges whose studies are in `folder`.

    Raises:
      SystemExit: when there is none, or random was not run in one.
    """
    found = []
    for name in CHALLENGES:
        if not (folder / name).is_dir():
            continue
        records, faults = read_all(runs_in([folder / name]))
        for fault in faults:
            print(fault)
        conditions, _ = conditions_of(records)
        steps = last_steps(conditions)
        mastered = {one.config["teacher"]: one.mastered[place_of(one, steps)] for one in conditions}
        if "random" not in mastered:
            raise SystemExit(f"{folder / name} has no run of random, with which all are compared.")
        found.append(Challenge(name, steps, mastered))
    if not found:
        raise SystemExit(f"{folder} holds none of the studies {', '.join(CHALLENGES)}.")
    return found


def taught(challenges: Sequence[Challenge]) -> list[str]:
    """The teachers of all `challenges`, in the order of the chart."""
    return [name for name in TEACHERS if all(name in one.mastered for one in challenges)]


def table(challenges: Sequence[Challenge]) -> str:
    """% mastered by teacher and challenge, and what of it lies above random or below."""
    texts = []
    for name in taught(challenges):
        text = {"teacher": name}
        text |= {one.name: _cell(one, name) for one in challenges}
        ratios = [one.ratio(name)[0] for one in challenges]
        text["mean ratio to random"] = f"{np.nanmean(ratios):.2f}"
        texts.append(text)
    length = "; ".join(
        f"{one.name}: {len(one.mastered['random'])} seeds of {one.steps:,} steps"
        for one in challenges
    )
    return f"{markdown_table(texts)}\n{length}.\n"


def _cell(challenge: Challenge, teacher: str) -> str:
    mastered = challenge.mastered[teacher]
    spread = f" ± {mastered.std(ddof=1):.1f}" if len(mastered) > 1 else ""
    text = f"{mastered.mean():.1f}{spread}"
    if teacher == "random" or challenge.p_value(teacher) >= SIGNIFICANT:
        return text
    is_above = mastered.mean() > challenge.mastered["random"].mean()
    return f"**{text}**" if is_above else f"{text} *"


def figure(challenges: Sequence[Challenge]) -> Figure:
    """The profile as the paper draws it, if it has three spokes, and beside it the same with
    intervals.
    """
    has_radar = len(challenges) >= 3
    drawn = Figure(figsize=(12 if has_radar else 7.5, 5.2), layout="constrained")
    parts: Any = drawn.subfigures(
        1, 1 + has_radar, width_ratios=(1, 1.15)[-1 - has_radar :], squeeze=False
    )
    if has_radar:
        draw_radar(parts[0, 0].subplots(subplot_kw={"projection": "polar"}), challenges)
    dots = parts[0, -1].subplots()
    draw_dots(dots, challenges)
    handles, labels = dots.get_legend_handles_labels()
    columns = len(labels) if has_radar else 4
    drawn.legend(handles, labels, frameon=False, loc="outside lower center", ncols=columns)
    return drawn


def draw_radar(ax: Any, challenges: Sequence[Challenge]) -> None:
    """A spoke a challenge, a line a teacher: its mean in units of random's."""
    angles = np.linspace(0, 2 * np.pi, len(challenges), endpoint=False)
    closed = [*range(len(challenges)), 0]
    for name in taught(challenges):
        ratios = np.array([one.ratio(name)[0] for one in challenges])
        ax.plot(angles[closed], ratios[closed], color=TEACHERS[name], linewidth=2)
    ax.set_theta_offset(np.pi / 2)
    ax.set_theta_direction(-1)
    ax.set_xticks(angles, [one.name for one in challenges])
    ax.set_rlim(0, None)
    ax.tick_params(axis="x", pad=14)
    ax.set_title("mean ratio to random", pad=18)


def draw_dots(ax: Axes, challenges: Sequence[Challenge]) -> None:
    """A group of dots a challenge, with 95 % intervals; what random masters is a line."""
    names = taught(challenges)[1:]
    for place, name in enumerate(names):
        offset = 0.7 * ((place + 0.5) / len(names) - 0.5)
        for row, challenge in enumerate(challenges):
            middle, low, high = challenge.ratio(name)
            label = name if row == 0 else None
            style: dict[str, Any] = {"color": TEACHERS[name]}
            ax.plot([low, high], [row + offset] * 2, linewidth=1.6, **style)
            ax.plot(middle, row + offset, "o", markersize=5, label=label, **style)
    ax.axvline(1, color=TEACHERS["random"], linewidth=2, label="random", zorder=0)
    ax.set_yticks(range(len(challenges)), [one.name for one in challenges])
    ax.set(ylim=(len(challenges) - 0.5, -0.5), xlim=(0, None))
    ax.set_xlabel("mean ratio to random, with its 95 % bootstrap interval")
    ax.grid(axis="x", alpha=0.25)


def write(folder: pathlib.Path, out: pathlib.Path) -> list[pathlib.Path]:
    """The table and the chart of the studies in `folder`. Returns their paths."""
    challenges = read_challenges(folder)
    page, picture = out / "teach_my_agent.md", pathlib.Path("results") / "teach_my_agent.png"
    with matplotlib.rc_context(STYLE):
        figure(challenges).savefig(out / picture, dpi=110)
    shown = f"![Mean ratio to random of each teacher and challenge]({picture.as_posix()})"
    refresh(page, pathlib.Path(__file__).name, f"{shown}\n\n{table(challenges)}")
    return [page, out / picture]


def main() -> None:
    """Read the folder, and write what it holds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, default=EXPERIMENTS)
    options = parser.parse_args()
    print_written(lambda: write(options.folder, options.out))


if __name__ == "__main__":
    main()
