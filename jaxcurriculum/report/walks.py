"""Students of a study at work: pages of episodes, which the report's page holds."""

from __future__ import annotations

from collections.abc import Sequence

from jaxcurriculum import tree
from jaxcurriculum.report.conditions import Condition
from jaxcurriculum.report.film import load, play
from jaxcurriculum.report.page import page, spread
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.rebuilding import rebuilt

MOST_WALKS = 6  # conditions


def walks_of(conditions: Sequence[Condition]) -> tuple[list[dict[str, str]], list[str]]:
    """The first seed of each condition on the same test tasks, {"name", "page"} each, and a
    sentence on each that cannot play: without an environment, a viewer or a checkpoint.
    """
    walks, faults, places = [], [], None
    for condition in conditions[:MOST_WALKS]:
        run = condition.records[0].run
        try:
            actor = load(run, rebuilt(run))
        except RunError as error:
            faults.append(f"{condition.name} does not play: {error}")
            continue
        places = spread(actor) if places is None else places
        films = play(actor, tree.take(actor.test_tasks, places), [0] * len(places))
        name = f"{condition.name}, seed {actor.seed}"
        walks.append({"name": name, "page": page(name, actor.viewer, films)})
    return walks, faults
