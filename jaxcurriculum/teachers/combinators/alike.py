"""What combinators share: which teachers and states fit together."""

from __future__ import annotations

import jax
import numpy as np

from jaxcurriculum.records import Proposals, PyTree
from jaxcurriculum.roles import Teacher


def outline(tree: PyTree) -> str:
    """Structure and shapes, to compare and to read."""
    shapes = [np.shape(leaf) for leaf in jax.tree.leaves(tree)]
    return f"{jax.tree.structure(tree)} of shapes {shapes}"


def check_alike(name: str, *proposals: Proposals) -> None:
    """Raise a ValueError unless all tasks have the same structure and shapes."""
    outlines = [outline(given.tasks) for given in proposals]
    if len(set(outlines)) > 1:
        raise ValueError(
            f"{name} must have teachers whose tasks are alike, got {' and '.join(outlines)}."
        )


def check_one_learner(name: str, *teachers: Teacher) -> None:
    """Raise a ValueError when a teacher compares several learners: another one needs one alone."""
    for teacher in teachers:
        if teacher.num_learners > 1:
            raise ValueError(
                f"{name} must have teachers of one learner, got {teacher.name!r}, which compares"
                f" {teacher.num_learners}."
            )
