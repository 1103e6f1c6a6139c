"""The toy grid as a plain loop over episodes, written from the published rule."""

import itertools

import numpy as np


class ToyGrid:
    """One learner; `practise(task)` is one episode and gives its return."""

    def __init__(self, dims: int = 2, cells: int = 10):
        self.dims, self.cells = dims, cells
        self.competence = np.zeros((cells,) * dims, np.int64)

    def cell(self, task: np.ndarray) -> tuple[int, ...]:
        """Bins of width 1 / cells, the right edge in the last; beyond `dims` is ignored."""
        scaled = np.asarray(task[: self.dims], np.float32) * np.float32(self.cells)
        return tuple(min(int(x), self.cells - 1) for x in np.floor(scaled))

    def learnable(self, cell: tuple[int, ...]) -> bool:
        """The origin, or a cell with a good enough neighbour below on some axes."""
        if not any(cell):
            return True
        below = itertools.product(*[{c, max(0, c - 1)} for c in cell])
        return any(other != cell and self.competence[other] >= 75 for other in below)

    def practise(self, task: np.ndarray) -> float:
        cell = self.cell(task)
        if self.learnable(cell):
            self.competence[cell] = min(self.competence[cell] + 1, 100)
        return self.competence[cell] / 100

    def score(self) -> float:
        """Percentage of mastered cells."""
        return 100 * float(np.mean(self.competence > 75))


class RotatedToyGrid(ToyGrid):
    """In 2-D the task is first rotated by `quarters` quarter turns about (0.5, 0.5)."""

    def __init__(self, cells: int, quarters: int):
        super().__init__(2, cells)
        self.quarters = quarters

    def cell(self, task: np.ndarray) -> tuple[int, ...]:
        x, y = np.asarray(task, np.float64) - 0.5
        for _ in range(self.quarters):
            x, y = -y, x
        return super().cell(np.array([x, y]) + 0.5)


class SpreadingToyGrid(ToyGrid):
    """Learning starts in any cell and spreads to the neighbours along an axis, both ways."""

    def __init__(self, start: tuple[int, ...], cells: int):
        super().__init__(len(start), cells)
        self.start = start

    def learnable(self, cell: tuple[int, ...]) -> bool:
        if cell == self.start:
            return True
        for axis in range(self.dims):
            for step in (-1, 1):
                other = tuple(c + step * (k == axis) for k, c in enumerate(cell))
                if 0 <= other[axis] < self.cells and self.competence[other] >= 75:
                    return True
        return False


class ForgetfulToyGrid(ToyGrid):
    """Cells not practised lose `decay` points; `barren` cells never learn."""

    def __init__(self, dims: int, cells: int, decay: float, barren: np.ndarray):
        super().__init__(dims, cells)
        self.competence = self.competence.astype(np.float64)
        self.decay, self.barren = decay, barren

    def practise(self, task: np.ndarray, weight: float = 1.0) -> float:
        cell = self.cell(task)
        before = self.competence[cell]
        if weight > 0 and self.learnable(cell) and not self.barren[cell]:
            before = min(before + weight, 100)
        faded = np.maximum(self.competence - self.decay, 0)
        if weight > 0:
            faded[cell] = before
        self.competence = faded
        return self.competence[cell] / 100
