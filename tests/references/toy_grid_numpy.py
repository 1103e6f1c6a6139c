"""The toy grid as a plain loop over episodes, written from the published rule."""

import itertools

import numpy as np


class ToyGrid:
    """One learner; `practise(task)` is one episode and gives its return."""

    def __init__(self, dims: int = 2, cells: int = 10):
        self.dims, self.cells = dims, cells
        self.competence = np.zeros((cells,) * dims, np.int64)

    def cell(self, task: np.ndarray) -> tuple[int, ...]:
        """Bins of width 1 / cells; the right edge belongs to the last bin. Coordinates beyond `dims` are ignored."""
        scaled = np.asarray(task[: self.dims], np.float32) * np.float32(self.cells)
        return tuple(min(int(x), self.cells - 1) for x in np.floor(scaled))

    def learnable(self, cell: tuple[int, ...]) -> bool:
        """The origin, or a cell with a good enough neighbour among those that are lower on some axes."""
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
