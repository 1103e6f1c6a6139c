"""Runs side by side: the numbers of the table, and what may not be compared."""

import numpy as np
import pytest
from made_up_runs import made_up_run
from rich.console import Console

from jaxcurriculum import runs
from jaxcurriculum.report.compare import compare
from jaxcurriculum.report.conditions import last_steps, named_by_run
from jaxcurriculum.report.learning_curves import learning_curves
from jaxcurriculum.report.reading import read
from jaxcurriculum.report.results import result_rows
from jaxcurriculum.runs.errors import RunError


def compared(runs, folder):
    """The text that a comparison prints."""
    console = Console(record=True, width=120)
    compare(runs, folder / "figure.png", console)
    return console.export_text()


def test_table_and_figure(tmp_path):
    runs = [made_up_run(tmp_path / "a", [0, 0, 1, 0]), made_up_run(tmp_path / "b", [4, 4, 3, 4])]
    steps, percent = runs[1].mastered()
    assert steps.tolist() == [100, 200]
    np.testing.assert_array_equal(percent, [[0, 0, 0, 0], [100, 100, 75, 100]])
    console = Console(record=True, width=100)
    path = compare(runs, tmp_path / "figure.png", console)
    text = console.export_text()
    assert "93.8 ± 12.5" in text and "6.2 ± 12.5" in text
    assert "0.029" in text, "of the 70 ways to label 4 + 4 seeds only 2 differ as much: p = 2/70"
    assert path.stat().st_size > 10_000


def test_each_counts_at_its_last_evaluation_by_the_steps_that_all_have(tmp_path):
    a = made_up_run(tmp_path / "a", [0, 1, 0, 1], evaluations=3)
    b = made_up_run(tmp_path / "b", [4, 3, 4, 3], every=140, evaluations=3)
    conditions = named_by_run([read(a), read(b)])
    steps = last_steps(conditions)
    rows = result_rows(conditions, steps)
    assert steps == 300 and [row.steps for row in rows] == [300, 280]
    assert rows[1].improvement == 1 and rows[1].permutation_p < 0.05
    assert "after 280 to 300 episodes a seed" in compared([a, b], tmp_path)


def test_runs_are_compared_in_one_call(tmp_path, capsys):
    made_up_run(tmp_path / "a", [0, 1])
    folders = [made_up_run(tmp_path / "b", [4, 4]), str(tmp_path / "a")]
    assert runs.compare(folders, f"{tmp_path}/figure.png") == tmp_path / "figure.png"
    assert "100.0" in capsys.readouterr().out and (tmp_path / "figure.png").exists()


def test_what_may_not_be_compared(tmp_path):
    a = made_up_run(tmp_path / "a", [1])
    with pytest.raises(RunError, match="at least two runs, got 1"):
        compare([a], tmp_path / "figure.png", Console())
    with pytest.raises(RunError, match="takes every run once, but .*a was given twice"):
        compare([a, a], tmp_path / "figure.png", Console())
    other = made_up_run(tmp_path / "b", [1])
    with pytest.raises(RunError, match="`out` must end in one of"):
        compare([a, other], tmp_path / "figure.word", Console())
    rare = made_up_run(tmp_path / "c", [1], every=700)
    with pytest.raises(RunError, match="c was first evaluated after 700 steps, but a ended after"):
        compare([a, rare], tmp_path / "figure.png", Console())


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"tasks": (0.1, 0.3)}, "it was tested on 2 tasks, not on 4"),
        ({"tasks": (0.1, 0.3, 0.5, 0.8)}, "it was tested on as many, but other tasks"),
        ({"axis": "y"}, "the axes of its test tasks are y0, not x0"),
        ({"student": "abilities"}, "its tasks are of abilities, not of toy-grid"),
        (
            {"student": "ppo", "env": "stump-tracks"},
            "its tasks are of stump-tracks, not of toy-grid",
        ),
    ],
)
def test_only_runs_tested_on_the_same_tasks_are_compared(changes, message, tmp_path):
    runs = [made_up_run(tmp_path / "a", [1]), made_up_run(tmp_path / "b", [1], **changes)]
    with pytest.raises(RunError, match=f"b cannot be compared with .*a: {message}"):
        compare(runs, tmp_path / "figure.png", Console())
    assert not (tmp_path / "figure.png").exists()


def test_bodies_and_names_of_test_sets_may_differ(tmp_path):
    walker = {"student": "ppo", "env": "stump-tracks"}
    own, other = {"test_set": "2019"}, {"test_set": "grid"}
    runs = [
        made_up_run(tmp_path / name, [1], **walker, **one)
        for name, one in (("a", own), ("b", other))
    ]
    assert "They differ in teacher, test_set." in compared(runs, tmp_path)


def test_the_least_possible_p_is_said_where_it_is_large(tmp_path):
    runs = [
        made_up_run(tmp_path / name, [0] * num)
        for name, num in (("a", 2), ("b", 2), ("c", 3), ("d", 9))
    ]
    text = compared(runs, tmp_path)
    assert "p of 2 against 2 seeds is at least 0.33: only more seeds can make it smaller." in text
    assert (
        "p of 2 against 3 seeds is at least 0.1:" in text
        and "p of 2 against 9 seeds is at least 0.018:" in text
    )
    runs = [made_up_run(tmp_path / name, [0] * 5) for name in ("e", "f")]
    assert "is at least" not in compared(runs, tmp_path)


def test_runs_of_different_length_are_compared_where_both_were_evaluated(tmp_path):
    runs = [
        made_up_run(tmp_path / "a", [2, 2], evaluations=2),
        made_up_run(tmp_path / "b", [4, 4], evaluations=5),
    ]
    text = compared(runs, tmp_path)
    assert "after 200 episodes a seed" in text and "They differ in teacher, steps." in text


def figure_of(runs):
    return learning_curves(named_by_run([read(run) for run in runs]))


def legend(figure):
    return [text.get_text().replace(r"\$", "$") for text in figure.legends[0].get_texts()]


def test_a_legend_tells_runs_of_one_teacher_apart(tmp_path):
    plain, rugged = (
        made_up_run(tmp_path / name, [1, 2], teacher="adr") for name in ("plain", "rugged")
    )
    assert legend(figure_of([plain, rugged])) == ["plain (2 seeds)", "rugged (2 seeds)"]
    riac = made_up_run(tmp_path / "riac", [1])
    assert legend(figure_of([plain, riac])) == ["plain: adr (2 seeds)", "riac (1 seed)"]
    other = made_up_run(tmp_path / "other" / "plain", [1], teacher="adr")
    paths = [f"{plain.path} (2 seeds)", f"{other.path} (1 seed)"]
    assert legend(figure_of([plain, other])) == paths


def test_the_name_of_a_run_is_no_formula_and_never_hidden(tmp_path):
    runs = [made_up_run(tmp_path / name, [1], teacher="adr") for name in (r"a$\foo$b", "_c")]
    figure = figure_of(runs)
    figure.savefig(tmp_path / "curves.png")
    assert legend(figure) == [r"a$\foo$b (1 seed)", " _c (1 seed)"]


def test_a_figure_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(5, "Input/output error")

    runs = [made_up_run(tmp_path / name, [1]) for name in ("a", "b")]
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", fail)
    console = Console(record=True)
    with pytest.raises(OSError) as error:
        compare(runs, tmp_path / "curves.png", console)
    assert error.value.filename == str(tmp_path / "curves.png")
    assert not console.export_text(), "nothing is said before all of it is known"


def test_a_figure_has_the_curve_of_every_run(tmp_path):
    runs = [
        made_up_run(tmp_path / f"run-{index}", [index % 5] * 21, teacher="adr")
        for index in range(8)
    ]
    lines = figure_of(runs).axes[0].get_lines()
    assert [line.get_ydata()[-1] for line in lines] == [25 * (index % 5) for index in range(8)]
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 8
