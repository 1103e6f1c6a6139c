"""Reports of folders of runs: what is taken together, what is said of what cannot be."""

import csv
import io
import json
import shutil

import numpy as np
import polars as pl
import pytest
from made_up_runs import made_up_run, with_curriculum
from rich.console import Console

from jaxcurriculum import runs
from jaxcurriculum.report import study_report
from jaxcurriculum.report.conditions import condition_names, conditions_of
from jaxcurriculum.report.reading import read, read_all, runs_in
from jaxcurriculum.report.results import result_rows, written
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.store import Run, Table


def study(folder, **solved):
    """A study with a run for each of `solved`, by the names of teachers with "_" for "-"."""
    for name, seeds in solved.items():
        path = folder / "runs" / name
        with_curriculum(made_up_run(path, seeds, teacher=name.replace("_", "-")))
    return folder


@pytest.fixture
def without_figures(monkeypatch):
    monkeypatch.setattr(study_report, "write_figures", lambda *_: [])


def reported(folder):
    """The files of a report by their names, and what it printed."""
    console = Console(record=True, width=140)
    paths = runs.report(folder, console=console)
    return {path.name: path for path in paths}, console.export_text()


def test_a_study_becomes_a_page_tables_and_figures(tmp_path):
    files, text = reported(study(tmp_path, alp_gmm=[3, 4, 4, 4], random=[1, 1, 2, 0]))
    tables = [f"{name}.{suffix}" for name in ("results", "lifelong") for suffix in ("md", "csv")]
    drawn = ("learning_curves", "profiles", "improvements")
    figures = [f"{name}.{suffix}" for name in drawn for suffix in ("png", "svg")]
    assert [*files] == ["index.html", *tables, *figures]
    assert files["index.html"] == tmp_path / "report" / "index.html"
    assert all(path.stat().st_size > 50 for path in files.values())
    random, alp_gmm = csv.DictReader(io.StringIO(files["results.csv"].read_text()))
    assert (random["condition"], alp_gmm["condition"]) == ("random", "alp-gmm")
    assert (alp_gmm["seeds"], alp_gmm["steps"]) == ("4", "200")
    assert float(alp_gmm["evaluation_steps"]) == 2 * 4 * 10, "two evaluations of four tasks"
    assert float(alp_gmm["mastered"]) == 93.75 and float(alp_gmm["test_return"]) == 93.75
    assert float(alp_gmm["improvement"]) == 1 and random["improvement"] == ""
    assert float(alp_gmm["permutation_p"]) == pytest.approx(2 / 70)
    assert "93.8 ± 12.5" in files["results.md"].read_text() and "93.8 ± 12.5" in text


def test_runs_that_differ_in_their_seeds_are_taken_together(tmp_path):
    made_up_run(tmp_path / "a", [1, 2], teacher="adr")
    made_up_run(tmp_path / "b", [3], teacher="adr", first_seed=2)
    made_up_run(tmp_path / "c", [4], teacher="adr", first_seed=1)
    records, _ = read_all(runs_in([tmp_path]))
    (condition,), said = conditions_of(records)
    assert condition.num_seeds == 3 and condition.mastered[-1].tolist() == [25, 50, 75]
    assert said == [f"{tmp_path / 'c'} is left out: {tmp_path / 'a'} has its seed 1."]


def test_a_condition_is_named_by_what_tells_it_apart():
    adr = {"teacher": "adr", "env.body": "short", "teacher.step": 1, "seed": 0}
    names = condition_names([adr, adr | {"teacher.step": 2}, {"teacher": "riac", "seed": 8}])
    assert names == ["adr, step 1", "adr, step 2", "riac"]
    bodies = [adr, {"teacher": "riac", "env.body": "long", "seed": 0}]
    assert condition_names(bodies) == ["adr, body short", "riac, body long"]


def test_a_run_that_goes_on_is_shown_but_not_compared(tmp_path, without_figures):
    made_up_run(tmp_path / "random", [1, 1], evaluations=4)
    made_up_run(tmp_path / "adr", [3, 3], evaluations=3, steps=400)
    conditions, _ = conditions_of(read_all(runs_in([tmp_path]))[0])
    first, second = result_rows(conditions, 400)
    assert (first.steps, second.steps, second.mastered) == (400, 300, 75)
    assert np.isnan(second.improvement) and written(second)["P(better)"] == ""
    _, text = reported(tmp_path)
    assert f"{tmp_path / 'adr'} is not finished: it has 3 of 4 evaluations." in text


def break_part(path):
    (path / "evaluations/part-00000000.parquet").write_bytes(b"PAR1 and no more")


def lose_seed(path):
    part = path / "evaluations/part-00000000.parquet"
    pl.read_parquet(part).head(-1).write_parquet(part)


def lose_evaluations(path):
    shutil.rmtree(path / "evaluations")


def rename_seeds(path):
    part = path / "evaluations/part-00000000.parquet"
    pl.read_parquet(part).with_columns(pl.col("seed") + 5).write_parquet(part)


def break_meta(path):
    (path / "meta.json").write_text("{")


@pytest.mark.parametrize(
    "damage, said",
    [
        (break_part, "part-00000000.parquet is damaged"),
        (lose_seed, "not every seed was evaluated on every task"),
        (lose_evaluations, "holds no evaluations"),
        (rename_seeds, "its evaluations are not of the seeds it names"),
        (break_meta, "meta.json is damaged"),
    ],
)
def test_what_cannot_be_read_is_left_out_and_named(damage, said, tmp_path, without_figures):
    folder = study(tmp_path, random=[1, 2], adr=[2, 3], riac=[1, 1])
    damage(folder / "runs/riac")
    files, text = reported(folder)
    assert said in text and text.count("riac") == 1 and "2 conditions" not in text
    assert said in files["index.html"].read_text()
    for name in ("random", "adr"):
        shutil.rmtree(folder / "runs" / name)
    with pytest.raises(RunError, match=said):
        reported(folder)


def test_a_damaged_curriculum_costs_its_films_only(tmp_path, without_figures):
    folder = study(tmp_path, random=[1], adr=[2])
    (folder / "runs/adr/episodes/part-00000000.parquet").write_bytes(b"no")
    _, text = reported(folder)
    assert "There are no films of adr: " in text and "is damaged" in text


@pytest.mark.parametrize("content", [None, b"", b"text", b"PK and no more"])
def test_without_its_reports_a_run_lacks_its_probe_steps_and_picture(
    content, tmp_path, without_figures
):
    folder = study(tmp_path, random=[1, 2], adr=[2, 3])
    path = folder / "runs/adr/reports/evaluation-00000001.npz"
    path.unlink() if content is None else path.write_bytes(content)
    files, text = reported(folder)
    fault = f"{path} is {'missing' if content is None else 'damaged'}"
    assert f"What adr spent on probes is not known: {fault}" in text
    assert text.count(f"The films of adr lack the teacher's picture: {fault}") == 1
    random, adr = csv.DictReader(io.StringIO(files["results.csv"].read_text()))
    assert (random["probe_steps"], adr["probe_steps"]) == ("0.0", "") and adr["mastered"] == "62.5"


def test_what_has_no_reports_is_said_once(tmp_path, without_figures):
    folder = study(tmp_path, random=[1, 2], adr=[2, 3], riac=[1, 1])
    for name in ("adr", "riac"):
        shutil.rmtree(folder / "runs" / name / "reports")
    _, text = reported(folder)
    assert "the teacher's picture are not known: adr, riac." in text
    assert text.count("not known") == 1 and "lack the teacher's picture" not in text


def page_of(files):
    """What the scripts of a report's page read."""
    page = files["index.html"].read_text()
    return json.loads(page.split('type="application/json">')[1].split("</script>")[0])


def test_only_seeds_with_episodes_have_films_and_lifelong_metrics(tmp_path, without_figures):
    folder = study(tmp_path, random=[1, 2, 3], adr=[2, 3])
    (folder / "runs/random/episodes/part-00000000.parquet").unlink()
    shutil.rmtree(folder / "runs/adr/episodes")
    Table(folder / "runs/adr/episodes").append(Run(folder / "runs/random").episodes().head(0))
    files, _ = reported(folder)
    films = [(film["condition"], film["seed"]) for film in page_of(files)["films"]]
    assert films == [(0, 1), (0, 2)]
    (row,) = csv.DictReader(io.StringIO(files["lifelong.csv"].read_text()))
    assert (row["condition"], row["seeds"]) == ("random", "2")


def test_of_thinned_episodes_there_are_no_lifelong_metrics(tmp_path, without_figures):
    folder = study(tmp_path, random=[1, 2], adr=[2, 3])
    meta = folder / "runs/adr/meta.json"
    meta.write_text(json.dumps(json.loads(meta.read_text()) | {"thinned": {"every": 8}}))
    files, text = reported(folder)
    assert "there are no lifelong metrics): adr." in text
    rows = csv.DictReader(io.StringIO(files["lifelong.csv"].read_text()))
    assert [row["condition"] for row in rows] == ["random"]


def test_runs_of_other_test_sets_are_reported_apart(tmp_path, without_figures):
    study(tmp_path, random=[1, 2], adr=[2, 3])
    with_curriculum(made_up_run(tmp_path / "runs/other", [1], tasks=[0.1, 0.2], teacher="adr"))
    with_curriculum(made_up_run(tmp_path / "runs/abilities", [1], student="abilities"))
    paths = [path for path in runs.report(tmp_path, console=Console(quiet=True))]
    pages = [path.parent.name for path in paths if path.name == "index.html"]
    assert pages == ["abilities", "toy-grid-1", "toy-grid-2"]


def test_a_folder_without_runs_is_named(tmp_path):
    with pytest.raises(RunError, match="holds no run: no folder in it has a config.json"):
        runs.report(tmp_path)
    (tmp_path / "file").write_text("dear diary")
    told = {"file": "file is a file: name the folder", "nowhere": "^There is no folder .*nowhere.$"}
    for name, message in told.items():
        with pytest.raises(RunError, match=message):
            runs.report(tmp_path / name)
    with pytest.raises(RunError, match="needs at least one folder"):
        runs.report([])


def test_steps_on_probes_are_those_reported(tmp_path):
    run = made_up_run(tmp_path / "a", [1, 1])
    with_curriculum(run, **{"counters.probe_steps": [[3, 5], [10, 30]]})
    conditions, _ = conditions_of([read(run)])
    assert [result_rows(conditions, steps)[0].probe_steps for steps in (100, 200)] == [4, 20]


def test_a_page_holds_no_nan_and_cannot_be_ended_by_a_name(tmp_path, without_figures):
    with_curriculum(made_up_run(tmp_path / "runs/one", [1], teacher="</script>{{content}}"))
    files, _ = reported(tmp_path)
    assert files["index.html"].read_text().count("</script>") == 2
    assert page_of(files)["conditions"][0]["name"] == "</script>{{content}}"
