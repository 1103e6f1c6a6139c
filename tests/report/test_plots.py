"""Figures from files: what is drawn is what the files hold."""

import dataclasses

import numpy as np
import polars as pl
import pytest
from matplotlib.figure import Figure

from jaxcurriculum.cli.settings import Settings
from jaxcurriculum.report import curriculum, levels, mastery, plots
from jaxcurriculum.report.task_plane import frame
from jaxcurriculum.runs.files import write_json
from jaxcurriculum.runs.store import Run, Table

SMALL = "/".join([">....########", ".###.########", "....G########"] + ["#" * 13] * 10)


def make_run(folder, dims, num_seeds=3, num_evaluations=4, mixture=True):
    """A run of files with known content: 2 rounds of 100 steps an evaluation; test task k is
    mastered from evaluation k on.
    """
    rng, names = np.random.default_rng(0), [f"axis_{k}" for k in range(dims)]
    write_json(
        folder / "config.json", dataclasses.asdict(Settings(teacher="alp-gmm", student="ppo"))
    )
    axes = {"names": names, "units": ["m"] * dims, "low": [0.0] * dims, "high": [1.0] * dims}
    meta = {
        "axes": axes,
        "step_unit": "environment steps",
        "steps_per_round": 100,
        "rounds_per_evaluation": 2,
        "first_seed": 5,
    }
    write_json(
        folder / "meta.json",
        meta | {"num_seeds": num_seeds, "evaluations_done": num_evaluations, "wall_seconds": 1.0},
    )
    num = 40 * num_seeds
    tasks = {name: rng.random(num, np.float32) for name in names}
    seed = np.repeat(5 + np.arange(num_seeds), 40)
    Table(folder / "episodes").append(
        pl.DataFrame(
            {
                "seed": seed,
                "round": np.tile(np.repeat(np.arange(8), 5), num_seeds),
                **tasks,
                "return": rng.random(num),
            }
        )
    )
    seed, evaluation, task = (
        x.ravel()
        for x in np.meshgrid(
            5 + np.arange(num_seeds), np.arange(num_evaluations), np.arange(6), indexing="ij"
        )
    )
    rows = {
        "seed": seed,
        "evaluation": evaluation,
        "steps": 200 * (evaluation + 1),
        "test_task": task,
    }
    rows |= {name: task / 6 for name in names} | {
        "return": 10.0 * evaluation + seed,
        "solved": evaluation >= task,
    }
    Table(folder / "evaluations").append(pl.DataFrame(rows))
    (folder / "reports").mkdir()
    for index in range(num_evaluations):
        means, covariances = (
            np.full((num_seeds, 3, dims + 1), index / 4),
            np.tile(0.01 * np.eye(dims + 1), (num_seeds, 3, 1, 1)),
        )
        valid = np.tile([True, True, False], (num_seeds, 1))
        arrays = (
            {"teacher.means": means, "teacher.covariances": covariances, "teacher.valid": valid}
            if mixture
            else {}
        )
        np.savez(folder / "reports" / f"evaluation-{index:08d}.npz", **arrays)
    return Run(folder)


def test_of_many_seeds_some_are_drawn_below_the_mean_of_all(tmp_path):
    figure = plots.learning_curve(make_run(tmp_path, dims=2, num_seeds=30))
    returns = figure.axes[1]
    *thin, mean = returns.get_lines()
    assert (
        len(thin) == plots.MOST_LINES == 20
        and "30 seeds (the first 20 thin)" in figure.get_suptitle()
    )
    np.testing.assert_allclose(mean.get_ydata(), np.arange(5, 35).mean() + [0, 10, 20, 30])
    assert (
        mean.get_zorder()
        > returns.collections[0].get_zorder()
        > max(line.get_zorder() for line in thin)
    )


def lines(ax):
    return [(line.get_xdata(), line.get_ydata()) for line in ax.get_lines()]


def test_the_learning_curve_is_the_mean_over_test_tasks(tmp_path):
    figure = plots.learning_curve(make_run(tmp_path, dims=2))
    mastered, returns = figure.axes
    steps, mean = lines(mastered)[-1]
    assert steps.tolist() == [200, 400, 600, 800]
    np.testing.assert_allclose(mean, 100 * np.array([1, 2, 3, 4]) / 6)
    assert [line[1].tolist() for line in lines(returns)[:3]] == [
        [s, s + 10, s + 20, s + 30] for s in (5, 6, 7)
    ]
    np.testing.assert_allclose(lines(returns)[-1][1], [6, 16, 26, 36])
    assert (
        mastered.get_ylabel() == "test tasks mastered (%)"
        and mastered.get_xlabel() == "environment steps a seed"
    )


def test_the_curriculum_shows_each_task_in_its_stretch_with_the_mixture_at_its_end(tmp_path):
    run = make_run(tmp_path, dims=2)
    axes = curriculum.curriculum(run).axes[: curriculum.NUM_PANELS]
    first = run.episodes().filter(pl.col("seed") == 5)
    for index, ax in enumerate(axes):
        shown = (
            first.filter(pl.col("round").is_between(2 * index, 2 * index + 1))
            .select("axis_0", "axis_1")
            .to_numpy()
        )
        drawn = np.asarray(ax.collections[0].get_offsets())
        assert sorted(map(tuple, drawn)) == sorted(map(tuple, shown))
        assert [tuple(ellipse.center) for ellipse in ax.patches] == [(index / 4, index / 4)] * 2
        assert ax.patches[0].width == pytest.approx(4 * 0.1)
        assert ax.get_xlabel() == "axis 0 (m)"


def test_the_curriculum_shows_the_leaves_of_a_teachers_boxes(tmp_path):
    run = make_run(tmp_path, dims=2, mixture=False)
    low, leaf = np.zeros((4, 2, 3, 2)), np.tile([True, False, True], (4, 2, 1))
    boxes = {
        "low": low,
        "high": low + [0.5, 0.25],
        "leaf": leaf,
        "alp": np.tile([1.0, 9.0, 0.0], (4, 2, 1)),
    }
    for index, path in enumerate(sorted((tmp_path / "reports").iterdir())):
        np.savez(path, **{f"teacher.{name}": values[index] for name, values in boxes.items()})
    patches = curriculum.curriculum(run).axes[0].patches
    assert [(patch.get_width(), patch.get_height()) for patch in patches] == [(0.5, 0.25)] * 2
    assert patches[0].get_linewidth() > patches[1].get_linewidth()


def test_a_box_without_a_size_is_marked(tmp_path):
    """ADR begins with one: a point in the first stretch, and wider in each one that follows."""
    run = make_run(tmp_path, dims=2, mixture=False)
    for index, path in enumerate(sorted((tmp_path / "reports").iterdir())):
        low = np.full((2, 2), 0.25)
        np.savez(path, **{"teacher.low": low, "teacher.high": low + 0.1 * index})
    marks = [ax.get_lines()[0].get_xydata().tolist() for ax in curriculum.curriculum(run).axes[:4]]
    assert marks == [[[0.25, 0.25]], [], [], []]


def test_the_mastery_map_shows_the_share_of_seeds_at_the_end(tmp_path):
    figure = mastery.mastery_map(make_run(tmp_path, dims=2))
    assert figure.axes[0].collections[0].get_array().tolist() == [100, 100, 100, 100, 0, 0]
    assert figure.axes[1].collections[0].get_array().tolist() == [36.0] * 6
    assert (
        "66.7% of the 6 test tasks mastered after 800 environment steps, mean of 3 seeds"
        in figure.get_suptitle()
    )


def test_the_mastery_map_shows_the_mean_of_tasks_at_one_place(tmp_path):
    run = make_run(tmp_path, dims=3)
    table = run.evaluations().with_columns(axis_0=pl.col("test_task") // 3, axis_1=pl.lit(0.5))
    Table(tmp_path / "evaluations").keep(pl.lit(False))
    Table(tmp_path / "evaluations").append(table)
    figure = mastery.mastery_map(run)
    np.testing.assert_allclose(
        figure.axes[0].collections[0].get_array(), [100, 100 / 3]
    )  # of tasks 0, 1, 2 and of 3, 4, 5
    assert (
        "of the 6 test tasks" in figure.get_suptitle()
        and "mean over the others" in figure.get_suptitle()
    )


def test_the_mastery_map_of_one_task_and_several_attempts(tmp_path):
    run = make_run(tmp_path, dims=2, num_seeds=1)
    once = run.evaluations().filter(pl.col("test_task") == 0)
    Table(tmp_path / "evaluations").keep(pl.lit(False))
    Table(tmp_path / "evaluations").append(pl.concat([once, once.with_columns(solved=False)]))
    write_json(tmp_path / "meta.json", run.meta | {"num_test_episodes": 2})
    figure = mastery.mastery_map(run)
    assert figure.axes[0].collections[0].get_array().tolist() == [50]
    assert figure.axes[2].get_ylabel() == "attempts that master the task (%)"
    assert "\n50.0% of attempts master the task after" in figure.get_suptitle()


@pytest.mark.parametrize("dims", [1, 2, 5])
@pytest.mark.parametrize("mixture", [True, False])
def test_every_figure_of_any_task_space_is_drawn(tmp_path, dims, mixture):
    paths = plots.draw(make_run(tmp_path, dims, num_seeds=1, num_evaluations=1, mixture=mixture))
    assert [path.name for path in paths] == [
        "learning_curve.png",
        "curriculum.png",
        "mastery_map.png",
    ]
    assert all(path.stat().st_size > 5_000 for path in paths)


def test_learning_progress_is_the_change_from_the_nearest_earlier_episode():
    rng = np.random.default_rng(1)
    tasks, returns = rng.random((50, 2)), rng.random(50)
    shown = np.array([0, 1, 7, 49])
    expected = [0.0]
    for index in shown[1:]:
        distances = [np.hypot(*(tasks[index] - tasks[earlier])) for earlier in range(index)]
        expected.append(abs(returns[index] - returns[int(np.argmin(distances))]))
    np.testing.assert_array_equal(curriculum.learning_progress(tasks, returns, shown), expected)


def test_learning_progress_of_tasks_on_a_very_wide_axis():
    tasks = np.array([[0.0], [3e38], [2.9e38]], np.float32)
    np.testing.assert_allclose(
        curriculum.learning_progress(tasks, np.array([0, 1, 3], np.float32), np.arange(3)),
        [0, 1, 2],
    )


def test_a_run_whose_first_seed_ended_no_episode_is_drawn(tmp_path):
    run = make_run(tmp_path, 2)
    table = run.episodes().filter(pl.col("seed") > 5)
    Table(tmp_path / "episodes").keep(pl.lit(False))
    Table(tmp_path / "episodes").append(table)
    assert len(plots.draw(run)) == 3


@pytest.mark.parametrize(("num_learners", "whose"), [(1, ""), (2, "of one of the 2 students")])
def test_levels_are_cropped_and_say_whose_return_it_is(num_learners, whose, tmp_path):
    run = make_run(tmp_path, dims=2)
    table = run.episodes().with_columns(layout=pl.lit(SMALL))
    Table(tmp_path / "episodes").keep(pl.lit(False))
    Table(tmp_path / "episodes").append(table)
    write_json(tmp_path / "meta.json", run.meta | {"num_learners": num_learners})
    figure = levels.levels(run)
    assert {ax.images[0].get_array().shape for ax in figure.axes} == {(3, 5)}
    assert ("(each return is" in figure.get_suptitle()) == bool(whose)
    assert whose in figure.get_suptitle()


def test_mazes_without_a_way_are_called_so():
    ax = Figure().subplots()
    ax.scatter([20, 60], [-1, 12])
    none = [None, None]
    frame(
        ax, {"axes": {"names": ["walls", "path_length"], "units": none, "low": none, "high": none}}
    )
    assert [tick.get_text() for tick in ax.get_yticklabels(minor=True)] == ["no way"]
    shown = {tick.get_text() for tick in ax.get_yticklabels()}
    assert "10" in shown and not {"0", "-1", "\N{MINUS SIGN}1"} & shown
    assert "0" not in {tick.get_text() for tick in ax.get_xticklabels(minor=True)}
