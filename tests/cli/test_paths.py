"""A path means itself: none of its characters is a pattern, markup or an escape."""

import os
import pathlib

import jax.numpy as jnp
import numpy as np
import polars as pl
import pytest
from toy_runs import train

from jaxcurriculum.cli import main
from jaxcurriculum.runs.checkpoint import Checkpoints, digest
from jaxcurriculum.runs.files import write_json
from jaxcurriculum.runs.store import Run, Table, read_part

PATTERNS = ["PhD [2026]", "x?", "a*", "**", "back\\slash"]
NAMES = [*PATTERNS, "[bold]", ":smile:", "~", "seed=3", "100%d", "größer"]


@pytest.mark.parametrize("name", NAMES)
def test_a_run_in_any_folder_comes_back(tmp_path, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    run = Run(pathlib.Path(name) / name)
    rows = pl.DataFrame({"round": np.arange(5)})
    Table(run.path / "episodes").append(rows)
    write_json(run.path / "config.json", {"teacher": "random"})
    state = {"score": jnp.arange(6.0)}
    with Checkpoints(run.path / "checkpoints") as checkpoints:
        checkpoints.save(1, state, {})
    with Checkpoints(run.path / "checkpoints") as checkpoints:
        _, restored, damages = checkpoints.restore(state, {})
    assert run.episodes().equals(rows)
    assert digest(restored) == digest(state) and damages == []
    assert os.listdir() == [name]


def test_a_run_whose_name_matches_another_holds_its_own_rows_only(tmp_path, capsys, no_figures):
    train(tmp_path, "--teacher", "random", "--steps", "500", "--seed", "100", name="x1")
    status, run = train(tmp_path, "--teacher", "random", "--steps", "500", name="x?")
    assert status == 0 and set(run.episodes()["seed"]) == set(run.evaluations()["seed"]) == {0, 1}
    capsys.readouterr()
    longer = ["train", "--out", str(tmp_path), "--name", "x?", "--resume", "--steps", "1000"]
    assert main.run(longer) == 0
    shown = capsys.readouterr().out
    assert "│         0 │" in shown and "│       100 │" not in shown
    for folder in ("episodes", "evaluations"):
        parts = [read_part(path) for path in (run.path / folder).iterdir()]
        assert {seed for part in parts for seed in part["seed"]} == {0, 1}
    assert sum(map(len, parts)) == 2 * 2 * 25


def test_what_is_shown_of_a_path_is_the_path(tmp_path, capsys):
    name = "[bold]x :smile:"
    status, run = train(tmp_path, "--teacher", "random", "--steps", "500", name=name)
    shown = capsys.readouterr().out
    assert status == 0
    assert f"{name}: random teaching toy-grid" in shown
    assert str(run.path / "figures" / "mastery_map.png") in shown


def test_a_name_that_orbax_cannot_write_is_refused_before_anything_is_written(tmp_path, capsys):
    status, _ = train(tmp_path, name=os.fsdecode(b"caf\xe9"))
    assert status == 1 and "must be text in UTF-8, got" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
