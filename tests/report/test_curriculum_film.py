"""What a page is told of a curriculum: short arrays that keep what they say."""

import base64

import numpy as np
import polars as pl
import pytest
from made_up_runs import made_up_run, with_curriculum

from jaxcurriculum.report.curriculum_film import MOST_EPISODES, belief_film, film_of
from jaxcurriculum.report.packing import evenly, packed
from jaxcurriculum.report.reading import read


def unpacked(array):
    """As data.js does it."""
    words = np.frombuffer(base64.b64decode(array["data"]), "<u2").astype(float)
    values = array["low"] + (array["high"] - array["low"]) * words / 65534
    return np.where(words == 65535, np.nan, values).reshape(array["shape"])


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e9])
def test_packed_numbers_keep_four_digits_of_their_range(scale):
    values = scale * np.random.default_rng(0).normal(size=(7, 3))
    values[2, 1] = np.nan
    np.testing.assert_allclose(unpacked(packed(values)), values, atol=1e-4 * scale)


@pytest.mark.parametrize("values", [[], [np.nan], [5.0], [3.0, 3.0], [np.inf, 1.0, 2.0]])
def test_nothing_breaks_packing(values):
    known = np.where(np.isfinite(values), values, np.nan)
    np.testing.assert_allclose(unpacked(packed(values)), known)


def test_some_places_are_even_and_have_the_last():
    assert evenly(1000, 3).tolist() == [0, 500, 999] and evenly(2, 5).tolist() == [0, 1]
    assert evenly(0, 5).size == 0


def test_a_film_holds_the_tasks_of_its_seed_in_time(tmp_path):
    run = with_curriculum(made_up_run(tmp_path, [1, 1], tasks=np.eye(3)[:, :2]), 4000)
    film = film_of(read(run), 1)
    episodes = run.episodes().filter(run.episodes()["seed"] == 1)
    shown = evenly(4000, MOST_EPISODES)
    assert film["seed"] == 1 and film["total"] == 200 and belief_film(read(run), 1) is None
    for task, name in zip(film["tasks"], ("x0", "x1")):
        np.testing.assert_allclose(unpacked(task), episodes[name].to_numpy()[shown], atol=1e-4)
    steps = 100 * (episodes["round"].to_numpy()[shown] + 1)
    np.testing.assert_allclose(unpacked(film["steps"]), steps, atol=0.01)


def test_narrow_gaussians_keep_their_shape(tmp_path):
    covariance = np.array([[4e-6, -1e-3], [-1e-3, 0.64]])
    means = np.tile([0.2, 0.7, 1.0], (2, 1, 1, 1))
    covariances = np.zeros((2, 1, 1, 3, 3))
    covariances[..., :2, :2] = covariance
    known = {"means": means, "covariances": covariances, "valid": np.ones((2, 1, 1), bool)}
    reports = {f"teacher.{name}": values for name, values in known.items()}
    run = with_curriculum(made_up_run(tmp_path, [1], tasks=np.eye(3)[:, :2]), **reports)
    shapes = belief_film(read(run), 0)["shapes"]
    deviation, correlation = (unpacked(shapes[name])[1, 0] for name in ("deviation", "correlation"))
    np.testing.assert_allclose(deviation, [0.002, 0.8], rtol=1e-3)
    np.testing.assert_allclose(correlation[0, 1], -1e-3 / (0.002 * 0.8), rtol=1e-3)


def arms_that_gave(run, origins):
    """`run`, whose episodes have the arms `origins` in turn and the task 0.1 or 0.2 times them."""
    part = next((run.path / "episodes").iterdir())
    table, lap = pl.read_parquet(part), np.arange(300)
    given = np.array(origins)[lap % len(origins)]
    tasks = (0.1 + 0.1 * (lap >= 150)) * given
    table.with_columns(origin=pl.Series(given), x0=pl.Series(tasks)).write_parquet(part)
    return read(run)


def test_a_choice_is_named_by_the_tasks_that_it_gave(tmp_path):
    run = with_curriculum(
        made_up_run(tmp_path, [1]), **{"teacher.probabilities": np.ones((2, 1, 3)) / 3}
    )
    bars = belief_film(arms_that_gave(run, [0, 2]), 0)
    assert bars["across"] == "choice" and bars["choices"] == [
        "choice 0, which gave x0 0 m",
        "choice 1, which was never taken",
        "choice 2, which gave x0 0.2 to 0.4 m",
    ]
    of_another = belief_film(arms_that_gave(run, [0, 5]), 0)
    assert of_another["choices"] == ["choice 0", "choice 1", "choice 2"]
