"""File systems of clusters and shares: what they cannot do is said, and errors name the path."""

import errno
import fcntl
import io
import os
import stat

import pytest
from rich.console import Console
from toy_runs import train

from jaxcurriculum.runs import files
from jaxcurriculum.runs.errors import sentence
from jaxcurriculum.runs.files import write_file
from jaxcurriculum.runs.host import alone
from jaxcurriculum.runs.store import Run


def refuse(number):
    def answer(*_):
        raise OSError(number, os.strerror(number))

    return answer


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_without_locks_a_run_trains_and_says_so(tmp_path, monkeypatch, number):
    monkeypatch.setattr(fcntl, "flock", refuse(number))
    shown = io.StringIO()
    with alone(Run(tmp_path), Console(file=shown, width=1000)):
        pass
    once = "let only one process train in it"
    assert shown.getvalue() == f"The file system of {tmp_path} has no locks: {once}.\n"


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP])
def test_without_flushed_folders_files_are_written(tmp_path, monkeypatch, number):
    flush_file = os.fsync

    def fsync(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            refuse(number)()
        flush_file(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    write_file(tmp_path / "file", lambda path: path.write_text("new"))
    assert (tmp_path / "file").read_text() == "new"
    assert not files.flush(tmp_path) and files.flush(tmp_path / "file")


def test_a_whole_run_on_a_share_says_both_and_resumes(tmp_path, monkeypatch, capsys, no_figures):
    monkeypatch.setattr(fcntl, "flock", refuse(errno.ENOLCK))
    monkeypatch.setattr(files.os, "fsync", refuse(errno.EINVAL))
    assert train(tmp_path, "--teacher", "random", "--steps", "500")[0] == 0
    shown = capsys.readouterr().out
    assert "has no locks: let only one process train in it.\n" in shown
    assert "cannot flush folders: a power cut may take the newest files.\n" in shown
    status, run = train(tmp_path, "--teacher", "random", "--steps", "1000", "--resume")
    assert status == 0 and run.meta["evaluations_done"] == 2


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_quota_is_a_full_disk(tmp_path, monkeypatch, number):
    monkeypatch.setattr(os, "fsync", refuse(number))
    path = tmp_path / "file.json"
    with pytest.raises(OSError) as caught:
        write_file(path, lambda temporary: temporary.write_text("new"))
    message = sentence(caught.value)
    where = tmp_path / ".file.json.partial"
    assert message.startswith(f"the disk is full, or a quota is used up ({where})")
    assert not list(tmp_path.iterdir())


def read_config(run):
    return run.config


def read_rows(run):
    return run.episodes()


def lock(run):
    with alone(run, Console()):
        pass


@pytest.mark.parametrize(
    "use, call, name",
    [
        (read_config, "pathlib.Path.read_text", "config.json"),
        (read_rows, "pathlib.Path.read_bytes", "part-0.parquet"),
        (lock, "fcntl.flock", ".lock"),
    ],
)
def test_a_failing_disk_is_said_with_the_path(tmp_path, monkeypatch, use, call, name):
    (tmp_path / "config.json").touch()
    (tmp_path / "episodes").mkdir()
    (tmp_path / "episodes" / "part-0.parquet").touch()
    monkeypatch.setattr(call, refuse(errno.EIO))
    with pytest.raises(OSError) as caught:
        use(Run(tmp_path))
    message = sentence(caught.value)
    assert message.startswith(f"cannot use {tmp_path}")
    assert message.endswith(f"{name}: input/output error.")
