"""PLR, ACCEL and sampling for learnability as plain loops, told the random numbers they use."""

import numpy as np

from references.plr_numpy import Plr

NEW, EDITED = -1, -2


def visits(levels, valid):
    """The episodes of each level, by level, in the order of their first ones."""
    found = {}
    for episode, level in enumerate(levels):
        if valid[episode]:
            found.setdefault(int(level), []).append(episode)
    return found


class Replay:
    """PLR: `numbers` of a round are its new levels, its coins, and what draws need."""

    def __init__(self, config):
        self.config = config
        self.buffer = Plr(config.capacity, "rank", config.temperature, config.staleness)
        self.best = {}  # highest return of a level, for max_mc

    def replay_prob(self):
        share = len(self.buffer.levels) / self.config.capacity
        is_ready = share > 0 and share >= self.config.least_filled
        most = share if self.config.schedule == "proportionate" else 1.0
        return min(self.config.replay_prob, most) if is_ready else 0.0

    def replayed(self, coins, num, num_parts):
        if self.config.rounds == "parallel":
            part = num // num_parts
            is_ready = self.replay_prob() > 0
            return [is_ready and part <= place < 2 * part for place in range(num)]
        return list(np.broadcast_to(coins < self.replay_prob(), num))

    def draw(self, waits, places):
        """Slots for a round's replays, the first drawn first."""
        probs = self.buffer.replay_probs()
        if self.config.distinct:
            order = [slot for slot in np.argsort(waits[: len(probs)] / probs) if probs[slot] > 0]
            return [order[place % len(order)] for place in range(len(places))]
        slots = np.searchsorted(np.cumsum(probs), places, side="right")
        return np.minimum(slots, len(probs) - 1)

    def propose(self, numbers, num_parts=2):
        """Levels, origins and weights."""
        levels, origins = list(numbers["new"]), [NEW] * len(numbers["new"])
        chosen = self.replayed(numbers["coins"], len(levels), num_parts)
        if any(chosen):
            slots = iter(self.draw(numbers["waits"], numbers["places"]))
            for place in np.flatnonzero(chosen):
                origins[place] = int(next(slots))
                levels[place] = self.buffer.levels[origins[place]]
        weights = [float(origin >= 0 or not self.config.robust) for origin in origins]
        return levels, origins, weights

    def update(self, levels, valid, returns, critic):
        """`critic` is an episode's score, or its mean value where the score is max_mc."""
        for level, episodes in visits(levels, valid).items():
            score = np.mean(critic[episodes], dtype=float)
            if self.config.score == "max_mc":
                best = max(float(returns[episode]) for episode in episodes)
                if level in self.buffer.levels:
                    best = max(best, self.best[level])
                self.best[level] = best
                score = best - score
            self.buffer.update(level, score)


class Accel:
    """Replay, and edits of what was replayed lately; tasks are points of the unit square."""

    def __init__(self, config):
        self.config, self.replay = config, Replay(config.replay)
        self.tasks = {}  # by level
        self.ring, self.count, self.due = {}, 0, False  # (task, ease) by slot

    def propose(self, numbers):
        levels, origins, weights = self.replay.propose(numbers, num_parts=3)
        self.tasks |= dict(zip(numbers["new"], numbers["tasks"]))
        parents = self.parents(numbers, levels, origins)
        for place, parent in parents.items():
            levels[place], origins[place], weights[place] = numbers["children"][place], EDITED, 0.0
            self.tasks[levels[place]] = self.edit(parent, numbers["edits"][:, place])
        replays = any(origin >= 0 for origin in origins)
        self.due = replays and numbers["due"] < self.config.edits_per_replay
        return levels, origins, weights

    def parents(self, numbers, levels, origins):
        """The parent's task of each proposal that becomes an edited level, by place."""
        num, rounds = len(levels), self.config.replay.rounds
        if rounds == "parallel":
            part = num // 3
            last = [place for place in range(2 * part, num) if origins[place - part] >= 0]
            return {place: self.tasks[levels[place - part]] for place in last}
        edits = self.config.edits_per_replay * self.replay.replay_prob()
        edited = numbers["edited"] < edits / (1 + edits)
        if rounds == "alternating":
            edited = np.full(num, self.due)
        if not self.ring:
            return {}
        sign = -1 if self.config.parents == "easiest" else 1
        best = sorted(self.ring, key=lambda slot: (sign * self.ring[slot][1], slot))
        best = best[: self.config.num_parents]
        begin = int(numbers["begin"] * len(best))
        turns = enumerate(np.flatnonzero(edited))
        return {place: self.ring[best[(begin + turn) % len(best)]][0] for turn, place in turns}

    def edit(self, task, numbers):
        task = np.array(task, float)
        for which, direction, size in numbers:
            axis = int(which * len(task))
            sign = np.floor(3 * direction) - 1
            task[axis] = np.clip(task[axis] + sign * size * self.config.edit_size, 0, 1)
        return task

    def update(self, levels, origins, valid, returns, critic):
        self.replay.update(levels, valid, returns, critic)
        buffer = self.replay.buffer
        for level, episodes in visits(levels, valid).items():
            slot = origins[episodes[0]]
            if slot >= 0 and buffer.levels[slot] == level:
                ease = np.mean(returns[episodes], dtype=float) - buffer.scores[slot]
                self.ring[self.count % self.config.num_candidates] = (self.tasks[level], ease)
                self.count += 1


class Learnability:
    """The levels of a probe that are solved half of the time, and draws of them."""

    def __init__(self, config):
        self.config, self.levels = config, []

    def probe(self, levels, solved, valid):
        """`solved` and `valid` are [levels, attempts]."""
        tried = [row.any() for row in valid]
        rates = [row[counts].mean() if any(counts) else 0.0 for row, counts in zip(solved, valid)]
        order = sorted(np.flatnonzero(tried), key=lambda i: (-rates[i] * (1 - rates[i]), i))
        self.levels = [levels[i] for i in order[: self.config.capacity]]

    def propose(self, new, coins, waits):
        levels, origins = list(new), [NEW] * len(new)
        chosen = np.flatnonzero(coins < self.config.replay_prob) if self.levels else []
        order = np.argsort(waits[: len(self.levels)])
        for turn, place in enumerate(chosen):
            origins[place] = int(order[turn % len(order)])
            levels[place] = self.levels[origins[place]]
        return levels, origins
