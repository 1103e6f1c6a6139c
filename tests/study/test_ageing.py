"""What a plan adds for teachers whose work grows with what they remember."""

import jax.numpy as jnp
import numpy as np
import pytest
from rich.console import Console
from studies import small

from jaxcurriculum.runs.host import begin
from jaxcurriculum.runs.store import Run
from jaxcurriculum.study import ageing
from jaxcurriculum.study.lanes import experiment_of
from jaxcurriculum.study.local import prepare
from jaxcurriculum.study.trial import _evaluated
from jaxcurriculum.teachers.parts import ring

HISTORY, AN_EVALUATION = 1700, 500  # episodes
# Of 4 evaluations the first 2 are tried. The others search 1,500 and 1,700 of 2,000 rows.
BEYOND = np.mean([1000, 1500, HISTORY]) - 1000


def rows_in_use(experiment, states, done):
    """A second for each row of a seed's history, as an evaluation would take."""
    history = getattr(states.teacher, "history", None)
    return 0.0 if history is None else float(np.minimum(history.num_rows, HISTORY).mean())


@pytest.mark.parametrize(
    "teacher, settings, seconds", [("alp-gmm", {"history": HISTORY}, BEYOND), ("random", {}, 0)]
)
def test_later_evaluations_search_what_is_remembered(
    teacher, settings, seconds, tmp_path, monkeypatch
):
    study = small(teachers=(teacher,), unlearnable=0.1)
    study.settings[teacher] = settings
    plan = prepare(study, tmp_path)
    name, job = next(iter(plan.jobs.items()))
    experiment, tried = experiment_of(plan, job), Run(tmp_path / name)
    tried.path.mkdir()
    begin(experiment, tried, Console(quiet=True), {})
    _evaluated(experiment, tried, 2)
    monkeypatch.setattr(ageing, "_seconds", rows_in_use)
    assert ageing.seconds_of_age(experiment, tried, 4) == pytest.approx(seconds)


def test_a_ring_is_filled_with_copies_of_its_rows():
    values = jnp.arange(10.0).reshape(1, 2, 5)
    few = ring.History(values=values, num_rows=jnp.array([3]))
    full = ageing.filled(few, done=1, total=4)
    assert full.num_rows.tolist() == [12]
    assert full.values.tolist() == [[[0, 1, 2, 0, 1], [5, 6, 7, 5, 6]]]
