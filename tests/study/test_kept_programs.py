"""A study compiles nothing that another process, or its plan, has compiled."""

import os
import subprocess
import sys

import pytest
from studies import FILE

PROGRAM = """
import sys

import jax

from jaxcurriculum.cli import main

missed = []
jax.monitoring.register_event_listener(
    lambda event, **_: missed.append(event) if event.endswith("/cache_misses") else None
)
assert main.run(["study", *sys.argv[1:]]) == 0
print("missed", len(missed))
"""


def programs_missed(cache, *arguments):
    """How many programs a process that runs a study does not find in the folder `cache`."""
    known = {"JAX_COMPILATION_CACHE_DIR": str(cache)}
    known["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    command = [sys.executable, "-c", PROGRAM, *map(str, arguments)]
    env = {**os.environ, **known}
    ran = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True)
    return int(ran.stdout.rpartition("missed ")[2])


@pytest.mark.slow  # two processes that import, of which one compiles
def test_a_study_compiles_nothing_after_its_plan(tmp_path):
    file, cache = tmp_path / "study.toml", tmp_path / "cache"
    file.write_text(FILE)
    assert programs_missed(cache, file, "--folder", tmp_path / "study", "--plan") > 0
    assert programs_missed(cache, file, "--folder", tmp_path / "study") == 0
