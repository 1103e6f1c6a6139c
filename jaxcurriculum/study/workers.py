"""Several workers that share a study through its folder alone, as the members of a SLURM array do.

jaxcurriculum study FILE --worker 0/2        and in another process, on any machine
jaxcurriculum study FILE --worker 1/2
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from jaxcurriculum.runs.errors import RunError


@dataclasses.dataclass(frozen=True)
class Worker:
    """One of `count` workers; the first has number 0.

    Raises:
      RunError: when there is no such worker.
    """

    number: int
    count: int

    def __post_init__(self):
        if not 0 <= self.number < self.count:
            got = f"got {self.number}/{self.count}"
            raise RunError(f"Workers are counted from 0: of two there are 0/2 and 1/2, {got}.")

    @classmethod
    def parse(cls, text: str) -> Worker:
        """The worker that `text` ("i/n") names.

        Raises:
          RunError: when there is no such worker.

        >>> Worker.parse("1/2")
        Worker(number=1, count=2)
        """
        found = re.fullmatch(r"(\d+)/(\d+)", text, re.ASCII)
        if found is None:
            raise RunError(f"A worker is a number and a count, as in 0/2, got {text!r}.")
        return cls(int(found[1]), int(found[2]))

    def order(self, jobs: Sequence[str]) -> list[str]:
        """All `jobs`, this worker's own first, then those of the others, from the last on.

        It helps the others so that the slowest does not decide when all is done, and so that the
        jobs of one that was lost are done. They work from the front, it comes from the back.

        >>> Worker(0, 2).order(["a", "b", "c", "d"])
        ['a', 'c', 'd', 'b']
        """
        own = jobs[self.number :: self.count]
        others = [job for turn, job in enumerate(jobs) if turn % self.count != self.number]
        return [*own, *reversed(others)]


ALONE = Worker(0, 1)
