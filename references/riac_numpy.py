"""RIAC as a plain loop over episodes, written from the published rule."""

import dataclasses

import numpy as np


@dataclasses.dataclass
class Region:
    """A box with its episodes, the oldest first; a task on a threshold lies below."""

    low: np.ndarray
    high: np.ndarray
    tasks: list[np.ndarray]
    returns: list[float]
    alp: float = 0.0
    axis: int = 0
    threshold: float = 0.0
    halves: tuple[int, int] | None = None


def progress(returns: list[float], window: int) -> float:
    """Absolute difference of the means of the older and the newer half; of an odd number the
    older half has one more.
    """
    latest = returns[-window:]
    if len(latest) <= 2:
        return 0.0
    newer = len(latest) // 2
    return abs(sum(latest[:-newer]) / (len(latest) - newer) - sum(latest[-newer:]) / newer)


def below(coordinate: float, threshold: float) -> bool:
    """Whether it is on the lower side, where clipped tasks lie on a region's face."""
    return coordinate <= threshold + 1e-7


class Riac:
    """`sample()` gives a task, `update(task, return)` learns from its episode.

    `draw_cuts(num_episodes)` gives the axes and the places (in [0, 1)) of the cuts tried in that
    episode.
    """

    def __init__(
        self,
        low,
        high,
        max_items=200,
        num_attempts=50,
        max_draws=100,
        min_share=1 / 20,
        min_side=1 / 15,
        discard=1 / 4,
        weigh_populations=True,
        exploration=0.2,
        mutation=0.1,
        mutation_std=0.1,
        max_regions=511,
        draw_cuts=None,
        seed=0,
    ):
        low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
        self.range = high - low
        self.regions = [Region(low, high, [], [])]
        self.max_items, self.num_attempts = max_items, num_attempts
        self.min_items, self.min_side = min_share * max_items, min_side
        self.num_discarded = int(discard * max_items)
        self.weigh_populations = weigh_populations
        self.exploration, self.mutation, self.mutation_std = exploration, mutation, mutation_std
        self.max_regions, self.num_episodes = max_regions, 0
        self.random = np.random.default_rng(seed)
        self.max_draws = max_draws
        self.draw_cuts = draw_cuts or self.own_cuts

    def own_cuts(self, num_episodes: int) -> tuple[np.ndarray, np.ndarray]:
        axes = self.random.integers(len(self.range), size=self.max_draws)
        return axes, self.random.random(self.max_draws)

    def probabilities(self) -> np.ndarray:
        alp = np.array([region.alp for region in self.regions])
        return alp / alp.sum() if alp.sum() > 0 else np.full(len(alp), 1 / len(alp))

    def sample(self, mode=None, place=None, inside=None, noise=None) -> np.ndarray:
        """A task from these random numbers, by default from its own.

        Three are uniform in [0, 1), `noise` is standard normal.
        """
        if mode is None:
            mode, place = self.random.random(), self.random.random()
            inside = self.random.random(len(self.range))
        root = self.regions[0]
        if mode < self.exploration or self.num_episodes == 0:
            return root.low + inside * (root.high - root.low)
        index = np.searchsorted(np.cumsum(self.probabilities()), place, side="right")
        region = self.regions[min(index, len(self.regions) - 1)]
        if mode < self.exploration + self.mutation:
            noise = self.random.standard_normal(len(self.range)) if noise is None else noise
            worst = region.tasks[int(np.argmin(region.returns))]
            return np.clip(worst + self.mutation_std * noise, region.low, region.high)
        return region.low + inside * (region.high - region.low)

    def update(self, task, episode_return: float) -> None:
        self.num_episodes += 1
        index = 0
        while True:
            region = self.regions[index]
            region.tasks.append(task)
            region.returns.append(episode_return)
            if len(region.returns) > self.max_items + 1:
                del region.tasks[0], region.returns[0]
            region.alp = progress(region.returns, self.max_items)
            if region.halves is None:
                break
            index = region.halves[0 if below(task[region.axis], region.threshold) else 1]
        if len(region.returns) > self.max_items and len(self.regions) + 2 <= self.max_regions:
            self.cut(region)

    def cut(self, region: Region) -> None:
        best_score, best = 0.0, None
        num_attempts = 0
        for axis, place in zip(*self.draw_cuts(self.num_episodes)):
            threshold = region.low[axis] + place * (region.high[axis] - region.low[axis])
            is_lower = [below(task[axis], threshold) for task in region.tasks]
            lower = [r for r, side in zip(region.returns, is_lower) if side]
            upper = [r for r, side in zip(region.returns, is_lower) if not side]
            if min(len(lower), len(upper)) < self.min_items:
                continue
            num_attempts += 1
            if num_attempts > self.num_attempts:
                break
            side = min(threshold - region.low[axis], region.high[axis] - threshold)
            if side < self.min_side * self.range[axis]:
                continue
            score = abs(progress(lower, self.max_items) - progress(upper, self.max_items))
            score *= len(lower) * len(upper) if self.weigh_populations else 1
            if score >= best_score - 1e-9:  # equal up to the rounding of a mean: the later one
                best_score, best = score, (int(axis), float(threshold), is_lower)
        if best is None:
            del region.tasks[: self.num_discarded], region.returns[: self.num_discarded]
            region.alp = progress(region.returns, self.max_items)
            return
        region.axis, region.threshold, is_lower = best
        region.halves = (len(self.regions), len(self.regions) + 1)
        for wanted in (True, False):
            low, high = region.low.copy(), region.high.copy()
            (high if wanted else low)[region.axis] = region.threshold
            tasks = [task for task, side in zip(region.tasks, is_lower) if side == wanted]
            returns = [r for r, side in zip(region.returns, is_lower) if side == wanted]
            alp = progress(returns, self.max_items)
            self.regions.append(Region(low, high, tasks, returns, alp))
