"""Prioritised level replay as a plain loop over episodes, written from the papers."""

import numpy as np


class Plr:
    """`update(level, score)` after each episode; `draw(u)` replays, for a u in [0, 1)."""

    def __init__(self, capacity, prioritisation="rank", temperature=0.1, staleness=0.5):
        self.capacity, self.prioritisation = capacity, prioritisation
        self.temperature, self.staleness = temperature, staleness
        self.levels, self.scores, self.last = [], [], []
        self.count = 0  # episodes so far

    def ranks(self):
        """1 for the highest score; of equal ones the lower slot first."""
        order = sorted(range(len(self.levels)), key=lambda slot: (-self.scores[slot], slot))
        ranks = np.empty(len(order), int)
        for place, slot in enumerate(order):
            ranks[slot] = place + 1
        return ranks

    def replay_probs(self):
        if self.prioritisation == "rank":
            weights = self.ranks() ** (-1 / self.temperature)
        else:
            weights = np.maximum(np.array(self.scores, float), 0) ** (1 / self.temperature)
        age = self.count - np.array(self.last, float)
        return (1 - self.staleness) * proportional(weights) + self.staleness * proportional(age)

    def draw(self, u):
        slot = np.searchsorted(np.cumsum(self.replay_probs()), u, side="right")
        return self.levels[min(slot, len(self.levels) - 1)]

    def update(self, level, score):
        self.count += 1
        if level in self.levels:
            slot = self.levels.index(level)
        elif len(self.levels) < self.capacity:
            slot = len(self.levels)
            for row, nothing in ((self.levels, None), (self.scores, 0.0), (self.last, 0)):
                row.append(nothing)
        else:
            self.count -= 1  # the buffer as it was before this episode
            slot = int(np.argmin(self.replay_probs()))
            self.count += 1
            if score < self.scores[slot]:
                return
        self.levels[slot], self.scores[slot], self.last[slot] = level, score, self.count


def proportional(weights):
    return weights / weights.sum() if weights.sum() > 0 else np.full(len(weights), 1 / len(weights))
