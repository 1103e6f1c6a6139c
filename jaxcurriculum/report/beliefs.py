"""What a teacher believes about the task space, as shapes: the picture that its report gives."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

import numpy as np

MOST_SHAPES = 200  # of one evaluation; the strongest are kept


@dataclasses.dataclass(frozen=True)
class Belief:
    """Shapes in the task space at each evaluation, or bars where there are no places.

    Strength is how much a teacher likes a shape (at least 0), nan where there is none.
    """

    kind: Literal["gaussians", "boxes", "points", "bars"]
    strength: np.ndarray  # [evaluations, num]
    shapes: dict[str, np.ndarray]  # each [evaluations, num, ...], in the axes' units
    arms: np.ndarray | None = None  # [num], of bars that are a bandit's: which arms they are of

    @property
    def legend(self) -> str:
        """What the shapes are, in a few words; of bars a text of its own."""
        if self.kind == "bars" and self.arms is None:
            return "Scores of the levels that the teacher holds, the highest first."
        return {
            "gaussians": "ellipses: the teacher's Gaussians (2 sd)",
            "boxes": "boxes: the teacher's regions",
            "points": "rings: tasks that the teacher holds",
            "bars": "How likely each task, or cell of the task space, is. Point at one to name it.",
        }[self.kind]


def belief_of(reports: dict[str, np.ndarray], place: int, axes: dict[str, Any]) -> Belief | None:
    """The picture of the teacher of one seed.

    Of a teacher made of teachers it is the first one's that has any.

    Args:
      reports: of a run, [evaluations, seeds, ...].
      place: of the seed among those of the run.
      axes: of the run's `meta`.
    """
    inside: dict[str, dict[str, np.ndarray]] = {}
    for name, values in reports.items():
        kind, _, rest = name.partition(".")
        if kind == "teacher":
            owner, _, field = rest.rpartition(".")
            inside.setdefault(owner, {})[field] = values[:, place]
    for _, fields in sorted(inside.items()):
        for picture in (_gaussians, _boxes, _points, _bars):
            if (belief := picture(fields, axes)) is not None:
                return _strongest(belief)
    return None


def _gaussians(fields: dict[str, np.ndarray], axes: dict[str, Any]) -> Belief | None:
    num = len(axes["names"])
    if "covariances" in fields and fields["means"].shape[-1] > num:
        means, covariances = fields["means"], fields["covariances"]
        # older runs are of ALP-GMM, which prefers mean progress
        liked = fields.get("preference", means[..., -1])
        strength = np.where(fields["valid"], np.maximum(liked, 0), np.nan)
        shapes = {"mean": means[..., :num], "covariance": covariances[..., :num, :num]}
        return Belief("gaussians", strength, shapes)
    if {"mean", "std"} <= set(fields) and fields["std"].shape[-1] == num:
        width = np.array(axes["high"], float) - np.array(axes["low"], float)
        deviation = fields["std"] * width  # was a fraction of each axis' range
        covariance = deviation[:, None, :, None] ** 2 * np.eye(num)
        shapes = {"mean": fields["mean"][:, None], "covariance": covariance}
        return Belief("gaussians", np.ones((len(deviation), 1)), shapes)
    return None


def _boxes(fields: dict[str, np.ndarray], axes: dict[str, Any]) -> Belief | None:
    num = len(axes["names"])
    if not {"low", "high"} <= set(fields) or fields["low"].shape[-1] != num:
        return None
    low, high = (fields[name].reshape(len(fields[name]), -1, num) for name in ("low", "high"))
    liked = np.maximum(fields.get("alp", np.ones(low.shape[:2])), 0)
    strength = np.where(fields.get("leaf", True), liked, np.nan)
    return Belief("boxes", strength, {"low": low, "high": high})


def _points(fields: dict[str, np.ndarray], axes: dict[str, Any]) -> Belief | None:
    num = len(axes["names"])
    for name in ("particles", "generated", "trained", "tasks"):
        tasks = fields.get(name)
        if tasks is None or tasks.ndim != 3 or tasks.shape[2] != num:
            continue
        scores = ("replay_probs", "learnability", "proximity")
        liked = next((fields[name] for name in scores if name in fields), np.ones(tasks.shape[:2]))
        strength = np.maximum(liked, 0.0)
        for count in ("num_filled", "num_trained"):
            if count in fields:
                held = np.arange(tasks.shape[1]) < fields[count][:, None]
                strength = np.where(held, strength, np.nan)
        return Belief("points", strength, {"task": tasks})
    return None


def _bars(fields: dict[str, np.ndarray], axes: dict[str, Any]) -> Belief | None:
    if "probabilities" in fields:
        probabilities = fields["probabilities"]
        return Belief("bars", probabilities, {}, np.arange(probabilities.shape[1]))
    if "scores" in fields:  # of a buffer, whose order means nothing
        scores = np.where(np.isfinite(fields["scores"]), fields["scores"], np.nan)
        return Belief("bars", -np.sort(-scores, axis=1), {})
    return None


def _strongest(belief: Belief) -> Belief:
    """`belief` without the weakest shapes beyond `MOST_SHAPES`, and without empty columns."""
    strength = belief.strength.reshape(len(belief.strength), -1)
    num = min(MOST_SHAPES, max(1, int(np.isfinite(strength).sum(1).max(initial=0))))
    if belief.kind == "bars":
        highest = np.nan_to_num(strength, nan=-1).max(0)
        kept = np.sort(np.argsort(-highest, kind="stable")[:num])
        arms = None if belief.arms is None else belief.arms[kept]
        return dataclasses.replace(belief, strength=strength[:, kept], arms=arms)
    order = np.argsort(-np.nan_to_num(strength, nan=-1), axis=1, kind="stable")[:, :num]
    rows = np.arange(len(order))[:, None]
    shapes = {name: values[rows, order] for name, values in belief.shapes.items()}
    return Belief(belief.kind, strength[rows, order], shapes)
