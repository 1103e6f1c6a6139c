"""The rules of CURROT as plain loops over lists, written from the published rule."""

import numpy as np
from scipy.optimize import linear_sum_assignment


class Buffer:
    """Tasks that went well, as (task, performance); `insert` says which of a batch enter."""

    def __init__(self, size, threshold):
        self.size, self.threshold = size, threshold
        self.members = []
        self.reached = False

    def insert(self, batch, targets):
        if self.reached:
            entered = self._keep_successes(batch, targets)
        else:
            entered = self._keep_better(batch)
        return [any(row is member for member in self.members) and keep
                for row, keep in zip(batch, entered)]  # fmt: skip

    def _keep_better(self, batch):
        ranked = sorted(self.members, key=lambda row: row[1])
        median = ranked[len(ranked) // 2][1] if ranked else -np.inf
        entered = [row[1] >= median for row in batch]
        dropped = min(len(ranked) // 2 + 1, sum(entered))
        new = [row for row, keep in zip(batch, entered) if keep]
        best_first = sorted(new + ranked[dropped:], key=lambda row: -row[1])
        self.members = best_first[: self.size]
        self.reached = median > self.threshold
        return entered

    def _keep_successes(self, batch, targets):
        entered = [row[1] >= self.threshold for row in batch]
        new = [row for row, keep in zip(batch, entered) if keep]
        failures = sorted(
            (row for row in self.members if row[1] < self.threshold), key=lambda row: row[1]
        )
        if new and not failures and len(self.members) == self.size:
            everyone = new + self.members
            costs = [[np.sum((row[0] - target) ** 2) for row in everyone] for target in targets]
            self.members = [everyone[column] for column in linear_sum_assignment(costs)[1]]
        else:
            gone = failures[: len(new)]
            stay = [row for row in self.members if not any(row is other for other in gone)]
            self.members = (new + stay)[: self.size]
        return entered


def nadaraya_watson(point, known, values, length):
    """The mean of `values`, weighed by nearness to `point`."""
    squared = np.sum((known - point) ** 2, axis=1)
    weights = np.exp(-(squared - squared.min()) / (2 * length**2))
    return np.sum(weights * values) / np.sum(weights)


def sliced_move(points, targets, directions):
    """One direction after the other: match by rank, and go the way along the direction."""
    moves = np.zeros_like(points)
    for direction in directions:
        ours, theirs = points @ direction, np.sort(targets @ direction)
        for rank, index in enumerate(np.argsort(ours)):
            moves[index] += (theirs[rank] - ours[index]) * direction / len(directions)
    return moves


def replace_failures(particles, members, predict, threshold):
    """Particles expected below the threshold take members, the good ones where they suffice."""
    particles = particles.copy()
    mastered = np.array([predict(point) >= threshold for point in particles])
    failing = np.flatnonzero(~mastered)
    good = np.array([predict(point) >= threshold for point in members])
    choice = np.flatnonzero(good) if good.sum() >= len(failing) else np.arange(len(members))
    costs = np.sum((particles[failing, None] - members[None, choice]) ** 2, axis=-1)
    rows, columns = linear_sum_assignment(costs)
    particles[failing[rows]] = members[choice[columns]]
    mastered[failing[rows]] = good[choice[columns]]
    return particles, mastered


def step_to_goals(start, goals, mastered, ball, predict, threshold, max_move):
    """Each particle's best candidate: near its goal and mastered, or else the best mastered."""
    ended = []
    for point, goal, is_mastered in zip(start, goals, mastered):
        distance = np.linalg.norm(goal - point)
        heading = (goal - point) / distance
        candidates = []
        for offset in ball:
            if is_mastered and offset @ heading < 0:
                offset = offset - 2 * (offset @ heading) * heading
            candidates.append(np.clip(point + min(max_move, distance) * offset, 0, 1))
        expected = [predict(candidate) for candidate in candidates]
        away = [
            np.sum((candidate - goal) ** 2) if value > threshold else np.inf
            for candidate, value in zip(candidates, expected)
        ]
        index = np.argmin(away) if np.isfinite(min(away)) else np.argmax(expected)
        ended.append(candidates[index])
    return np.array(ended)
