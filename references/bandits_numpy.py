"""Bandit teachers as plain loops in double precision, from the papers, one episode an update."""

from collections import deque

import numpy as np


def _softmax(scores):
    weights = np.exp(scores - np.max(scores))
    return weights / weights.sum()


class Tscl:
    """Algorithms 1 to 4 of arXiv 1707.00183; the first return of an arm gives no reward."""

    def __init__(
        self, num_arms, algorithm, window=10, rate=0.1, epsilon=0.1, temperature=None, absolute=True
    ):
        self.num_arms, self.algorithm, self.window, self.rate = num_arms, algorithm, window, rate
        self.epsilon, self.temperature, self.absolute = epsilon, temperature, absolute
        self.value, self.last, self.time = np.zeros(num_arms), {}, 0
        self.scores = [deque(maxlen=window) for _ in range(num_arms)]
        self.times = [deque(maxlen=window) for _ in range(num_arms)]
        self.changes = [deque(maxlen=window) for _ in range(num_arms)]

    def update(self, arm, score):
        reward = None
        self.scores[arm].append(score)
        self.times[arm].append(self.time)
        if self.algorithm == "online" and arm in self.last:
            reward = score - self.last[arm]
        if self.algorithm == "naive" and len(self.scores[arm]) == self.window:
            reward = np.polyfit(np.arange(self.window), self.scores[arm], 1)[0]
            self.scores[arm].clear()
        if self.algorithm == "window" and len(self.scores[arm]) >= 2:
            reward = np.polyfit(np.array(self.times[arm]) - self.time, self.scores[arm], 1)[0]
        if arm in self.last:
            self.changes[arm].append(score - self.last[arm])
        self.last[arm] = score
        self.time += 1
        if reward is not None:
            self.value[arm] = self.rate * reward + (1 - self.rate) * self.value[arm]

    def probabilities(self, uniform=()):
        """Of the next arm; "sampling" is given a random number for each arm."""
        score = self.value
        if self.algorithm == "sampling":
            score = np.array([_pick(changes, u) for changes, u in zip(self.changes, uniform)])
        score = np.abs(score) if self.absolute else score
        if self.temperature is not None:
            return _softmax(score / self.temperature)
        best = score == np.max(score)
        return (1 - self.epsilon) * best / best.sum() + self.epsilon / self.num_arms


def _pick(changes, u):
    return changes[len(changes) - 1 - int(u * len(changes))] if changes else np.inf


class Exp3S:
    """Equations of arXiv 1704.03003; the reservoir forgets by rank, by a random number."""

    def __init__(self, num_arms, rate, epsilon, bias, size, quantiles=(0.2, 0.8), sharing=True):
        self.num_arms, self.rate, self.epsilon, self.bias = num_arms, rate, epsilon, bias
        self.size, self.quantiles, self.sharing = size, quantiles, sharing
        self.weights, self.last, self.reservoir, self.num_rewards = np.zeros(num_arms), {}, [], 0

    def probabilities(self):
        return (1 - self.epsilon) * _softmax(self.weights) + self.epsilon / self.num_arms

    def update(self, arm, score, uniform):
        previous, self.last[arm] = self.last.get(arm), score
        if previous is None:
            return
        reward, scaled = score - previous, 0.0
        if self.reservoir:
            low, high = np.quantile(self.reservoir, self.quantiles)
            scaled = np.sign(reward - low)
            if high > low:
                scaled = np.clip(2 * (reward - low) / (high - low) - 1, -1, 1)
        chances = enumerate(self.probabilities())
        estimate = [(scaled * (i == arm) + self.bias) / p for i, p in chances]
        v = self.weights + self.rate * np.array(estimate)
        share = 1 / (self.num_rewards + 1) if self.sharing else 0.0
        others = [
            sum(np.exp(v[j]) for j in range(self.num_arms) if j != i) / (self.num_arms - 1)
            for i in range(self.num_arms)
        ]
        self.weights = np.log((1 - share) * np.exp(v) + share * np.array(others))
        if len(self.reservoir) < self.size:
            self.reservoir = sorted([*self.reservoir, reward])
        else:
            slot = int(uniform * (self.num_rewards + 1))
            if slot < self.size:
                kept = self.reservoir[:slot] + self.reservoir[slot + 1 :]
                self.reservoir = sorted([*kept, reward])
        self.num_rewards += 1


class UcbAdvantage:
    """arXiv 2504.09710, algorithm 1; without a critic: distance from a running mean."""

    def __init__(self, num_arms, window, temperature):
        self.window, self.temperature = window, temperature
        self.advantages = [deque(maxlen=window) for _ in range(num_arms)]
        self.num, self.mean = np.zeros(num_arms), np.zeros(num_arms)

    def update(self, arm, score, advantage):
        self.num[arm] += 1
        self.mean[arm] += (score - self.mean[arm]) / min(self.num[arm], self.window)
        if not np.isfinite(advantage):
            advantage = abs(score - self.mean[arm])
        self.advantages[arm].append(advantage)

    def probabilities(self):
        mean = np.array([np.mean(values) if values else 0.0 for values in self.advantages])
        bound = mean + np.sqrt(2 * np.log(self.num.sum() + 1) / (self.num + 1))
        return _softmax(bound / self.temperature)
