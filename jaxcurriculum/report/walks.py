"""Students of a study at work: pages of episodes, which the report's page holds."""

from __future__ import annotations

from collections.abc import Sequence

from jaxcurriculum import tree
from jaxcurriculum.report.conditions import Condition
from jaxcurriculum.report.film import load, play
from jaxcurriculum.report.page import page, spread
from jaxcurriculum.runs.rebuilding import rebuilt

MOST_WALKS = 6  # conditions


def walks_of(conditions: Sequence[Condition]) -> list[dict[str, str]]:
    """The first seed of each condition on the same test tasks, {"name", "page"} each.

    Raises:
      RunError: when a run has no environment, no viewer or no checkpoint, or was made from Python.
    """
    walks, places = [], None
    for condition in conditions[:MOST_WALKS]:
        run = condition.records[0].run
        actor = load(run, rebuilt(run))
        places = spread(actor) if places is None else places
        films = play(actor, tree.take(actor.test_tasks, places), [0] * len(places))
        name = f"{condition.name}, seed {actor.seed}"
        walks.append({"name": name, "page": page(name, actor.viewer, films)})
    return walks
