"""Automatic domain randomisation as a plain loop with lists, written from the published rule."""

import numpy as np


class Adr:
    """`sample(random numbers)` gives a task, `update(return)` learns; in the axes' units."""

    def __init__(
        self,
        low,
        high,
        start,
        face_share,
        judge_every,
        grow_at,
        shrink_at,
        step,
        point_is_face=False,
        test_full_axes=True,
    ):
        self.bounds = np.array([low, high], np.float64)
        self.faces = np.array([start, start], np.float64)
        self.step = np.broadcast_to(np.asarray(step, np.float64), self.faces[0].shape)
        self.face_share, self.judge_every = face_share, judge_every
        self.grow_at, self.shrink_at = grow_at, shrink_at
        self.point_is_face, self.test_full_axes = point_is_face, test_full_axes
        self.axes = [axis for axis in range(len(start)) if high[axis] > low[axis]]
        self.queues = {(side, axis): [] for side in (0, 1) for axis in self.axes}
        self.drawn = None

    def sample(self, inside: np.ndarray, chance: float, choice: int) -> np.ndarray:
        """A task from uniform numbers `inside` [dims] and `chance` in [0, 1).

        `choice` numbers the low faces of the axes, then the high ones.
        """
        task = self.faces[0] + inside * (self.faces[1] - self.faces[0])
        self.drawn = None
        side, axis = list(self.queues)[choice]
        is_full = np.allclose(self.faces[:, axis], self.bounds[:, axis], rtol=0, atol=1e-9)
        if chance < self.face_share and (self.test_full_axes or not is_full):
            task[axis] = self.faces[side, axis]
            self.drawn = (side, axis)
        return task

    def update(self, episode_return: float) -> None:
        is_point = self.faces[0] == self.faces[1]  # before this episode moves anything
        for (side, axis), queue in self.queues.items():
            if (side, axis) == self.drawn or (self.point_is_face and is_point[axis]):
                queue.append(episode_return)
            if len(queue) == self.judge_every:
                mean = np.mean(queue)
                if mean >= self.grow_at:
                    self.move(side, axis, outwards=True)
                elif self.shrink_at is not None and mean <= self.shrink_at:
                    self.move(side, axis, outwards=False)
                queue.clear()

    def move(self, side: int, axis: int, outwards: bool) -> None:
        sign = 1 if (side == 1) == outwards else -1
        moved = np.clip(self.faces[side, axis] + sign * self.step[axis], *self.bounds[:, axis])
        for bound in self.bounds[:, axis]:
            if abs(moved - bound) < 1e-9:
                moved = bound
        other = self.faces[1 - side, axis]
        self.faces[side, axis] = max(moved, other) if side == 1 else min(moved, other)
