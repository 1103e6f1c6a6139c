"""The table at the end of a run."""

import dataclasses

import numpy as np
import polars as pl
import pytest

from jaxcurriculum.cli.settings import Settings
from jaxcurriculum.report import summary
from jaxcurriculum.runs import files, store


@pytest.mark.parametrize("num_seeds", [20, 101])
def test_many_seeds_are_summed_up_in_quantiles(tmp_path, num_seeds):
    run = store.Run(tmp_path)
    files.write_json(
        tmp_path / "config.json", dataclasses.asdict(Settings(teacher="riac", student="toy-grid"))
    )
    seeds = np.arange(num_seeds)
    store.Table(tmp_path / "episodes").append(pl.DataFrame({"seed": np.repeat(seeds, 3)}))
    tests = {"seed": seeds, "evaluation": 0 * seeds, "return": 1.0 * seeds, "solved": seeds >= 50}
    store.Table(tmp_path / "evaluations").append(pl.DataFrame(tests))
    names, *_, returns, mastered = (
        list(column.cells) for column in summary.seed_table(run).columns
    )
    if num_seeds == 20:
        assert names == [*map(str, range(20)), "mean ± sd"]
    else:
        assert names == ["min", "lower quartile", "median", "upper quartile", "max", "mean ± sd"]
        assert returns == [
            "0.00",
            "25.00",
            "50.00",
            "75.00",
            "100.00",
            f"50.00 ± {seeds.std(ddof=1):.2f}",
        ]
        assert mastered[:5] == ["0.0", "0.0", "100.0", "100.0", "100.0"]


@pytest.mark.parametrize(
    ("assign", "advice"),
    [("pool", "a larger pool_size holds"), ("slot", "(with a smaller num_steps")],
)
def test_advice_about_episodes_without_a_record_can_be_followed(assign, advice):
    """Where every environment has a slot, pool_size is num_envs."""
    reports = {"counters.dropped": np.array([[1, 0], [5, 7]]), "counters.probe_steps": np.zeros(1)}
    (noted,) = summary.noted_counts(reports, {"student.rollout.assign": assign})
    assert noted.startswith("12 episodes") and advice in noted


def test_a_share_of_no_replays_is_not_told():
    nothing = {"effective_levels": np.zeros((2, 3)), "effective_share": np.ones((2, 3))}
    reports = {f"teacher.{name}": values for name, values in nothing.items()}
    (sentence,) = summary.variety_of_replays(reports)
    assert "No level was replayed" in sentence
    reports["teacher.effective_levels"][-1] = [0, 4, 4]
    reports["teacher.effective_share"][-1] = [1, 0.2, 0.4]
    (sentence,) = summary.variety_of_replays(reports)
    assert "as if 30 in 100 were" in sentence
