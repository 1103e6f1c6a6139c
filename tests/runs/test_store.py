"""Files of a run: atomic, small, cut back to a checkpoint."""

import errno
import json
import os

import numpy as np
import polars as pl
import pytest

from jaxcurriculum.runs import store
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.files import write_file, write_json
from jaxcurriculum.runs.store import META, Run, Table, read_part


def rows(first, last):
    return pl.DataFrame(
        {
            "round": np.arange(first, last, dtype=np.int32),
            "return": np.arange(first, last, dtype=np.float32),
        }
    )


def content(folder):
    return pl.concat([read_part(path) for path in sorted(folder.glob("part-*.parquet"))])


def test_a_table_holds_what_was_appended_whatever_the_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "ROWS_PER_PART", 10)
    table = Table(tmp_path)
    for first in range(0, 35, 7):
        table.append(rows(first, first + 7))
    assert content(tmp_path).equals(rows(0, 35))
    assert [len(read_part(path)) for path in sorted(tmp_path.glob("*"))] == [14, 14, 7]


@pytest.mark.parametrize("kept", [0, 3, 14, 15, 28, 34, 35])
def test_a_table_is_cut_and_continued(tmp_path, monkeypatch, kept):
    monkeypatch.setattr(store, "ROWS_PER_PART", 10)
    table = Table(tmp_path)
    for first in range(0, 35, 7):
        table.append(rows(first, first + 7))
    table = Table(tmp_path)
    table.keep(pl.col("round") < kept)
    table.append(rows(kept, 40))
    assert content(tmp_path).equals(rows(0, 40))


def test_an_episode_takes_at_most_15_bytes(tmp_path):
    """Two seeds, a task of two axes with continuous values, lengths up to the cap of 2,000
    steps, 5,000 episodes.
    """
    rng, num = np.random.default_rng(0), 5_000
    table = pl.DataFrame(
        {
            "seed": np.repeat(np.arange(2, dtype=np.int32), num // 2),
            "round": np.tile(np.sort(rng.integers(0, 60, num // 2)), 2).astype(np.int32),
            "stump_height": rng.uniform(0, 3, num).astype(np.float32),
            "obstacle_spacing": rng.uniform(0, 6, num).astype(np.float32),
            "origin": rng.integers(-1, 10, num).astype(np.int32),
            "return": rng.normal(0, 100, num).astype(np.float32),
            "length": rng.integers(30, 2001, num).astype(np.int32),
            "solved": rng.random(num) < 0.2,
        }
    )
    Table(tmp_path).append(table)
    assert sum(path.stat().st_size for path in tmp_path.glob("*")) <= 15 * num


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "file.json"
    write_file(path, lambda temporary: temporary.write_text("old"))

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_file(path, lambda temporary: temporary.write_text("new"))
    assert [file.name for file in tmp_path.iterdir()] == ["file.json"] and path.read_text() == "old"


@pytest.mark.parametrize("read", [lambda run: run.config, Run.evaluations])
def test_a_study_in_place_of_a_run_leads_to_one(tmp_path, read):
    for name in ("b", "a"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        write_json(tmp_path / "runs" / name / "config.json", {})
    with pytest.raises(RunError, match=f"name one of its runs, such as {tmp_path}/runs/a.$"):
        read(Run(tmp_path))


def test_what_is_not_a_run_or_damaged_is_said_in_a_sentence(tmp_path):
    with pytest.raises(RunError, match="holds no run"):
        _ = Run(str(tmp_path)).config
    (tmp_path / "config.json").write_text('{"env": ')
    with pytest.raises(RunError, match="config.json is damaged"):
        _ = Run(tmp_path).config
    for foreign in ({}, [1, 2], {"env": "stump-tracks"}):
        (tmp_path / "config.json").write_text(json.dumps(foreign))
        with pytest.raises(
            RunError, match="config.json is not one of a run of this program: it has no"
        ):
            _ = Run(tmp_path).config
    write_json(tmp_path / "meta.json", {})
    with pytest.raises(
        RunError, match="meta.json is not one of a run of this program: it has no 'axes'"
    ):
        _ = Run(tmp_path).meta
    write_json(tmp_path / "meta.json", dict.fromkeys(META) | {"axes": {"names": []}})
    with pytest.raises(RunError, match="meta.json is damaged: its axes have no 'units'"):
        _ = Run(tmp_path).meta
    with pytest.raises(RunError, match="holds no episodes: they were removed, or"):
        Run(tmp_path).episodes()
    Table(tmp_path / "episodes").append(rows(0, 100))
    part = next((tmp_path / "episodes").glob("*"))
    part.write_bytes(part.read_bytes()[:100])
    with pytest.raises(RunError, match="part-00000000.parquet is damaged"):
        Run(tmp_path).episodes()
    (tmp_path / "reports").mkdir()
    report = tmp_path / "reports" / "evaluation-00000000.npz"
    np.savez_compressed(report, loss=np.arange(100))
    np.testing.assert_array_equal(Run(tmp_path).reports()["loss"], [np.arange(100)])
    whole = report.read_bytes()
    flipped = whole[:60] + bytes(255 - byte for byte in whole[60:90]) + whole[90:]
    for damaged in (whole[:50], b"", b"text", flipped):
        report.write_bytes(damaged)
        with pytest.raises(RunError, match="evaluation-00000000.npz is damaged"):
            Run(tmp_path).reports()
