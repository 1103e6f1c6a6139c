"""The results that are kept in the repository can be plotted and played without training."""

import pathlib

import numpy as np
import pytest
from numpy_policy import act, load

from jaxcurriculum.cli.settings import Settings
from jaxcurriculum.report.conditions import conditions_of, last_steps
from jaxcurriculum.report.reading import read_all, runs_in
from jaxcurriculum.report.results import result_rows
from jaxcurriculum.runs.policy_file import PolicyFile

RESULTS = pathlib.Path(__file__).parents[1] / "experiments" / "results"
POLICIES = sorted((RESULTS / "policies").rglob("*.npz"))
STUDIES = sorted({path.parents[1] for path in (RESULTS / "tables").rglob("config.json")})
LARGEST = 100_000  # bytes of a policy


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_a_policy_is_small_and_acts(path):
    header, weights, memory = load(path)
    rng = np.random.default_rng(0)
    seen = [rng.normal(size=(20, *one["shape"])) for one in header["observation"]]
    actions = [act(header, weights, memory, list(obs))[1] for obs in zip(*seen)]
    assert path.stat().st_size < LARGEST
    assert np.isfinite(actions).all() and len(np.unique(actions, axis=0)) > 1
    assert path.stem == f"{header['run']}_seed{header['seed']}"
    assert Settings.recorded(PolicyFile(path).config).env == header["environment"]


@pytest.mark.parametrize("folder", STUDIES, ids=lambda path: path.name)
def test_tables_are_of_finished_runs(folder):
    records, faults = read_all(runs_in([folder]))
    assert not faults and all(record.is_finished for record in records)
    conditions, repeated = conditions_of(records)
    assert not repeated
    rows = result_rows(conditions, last_steps(conditions))
    assert all(0 <= row.mastered <= 100 and row.minutes > 0 for row in rows)
    for record in records:
        assert len(record.run.episodes()) > 100 and {"command", "machine"}.isdisjoint(record.meta)
