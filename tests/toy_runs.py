"""Settings of small runs on the toy grid; the runs through the command line, in this process and in
one of their own.
"""

import os
import subprocess
import sys

import jax

from jaxcurriculum.cli import main
from jaxcurriculum.cli.settings import Settings
from jaxcurriculum.runs.store import Run

TOY = Settings(student="toy-grid", teacher="random")
SMALL = [
    *("--student", "toy-grid", "--student.cells", "5", "--student.episodes-per-round", "50"),
    *("--steps", "4000", "--evaluate-every", "500"),
]


def train(folder, *arguments, name="run"):
    """`jaxcurriculum train` on a small toy grid. Returns the exit status and the run."""
    return main.run(["train", *SMALL, "--out", str(folder), "--name", name, *arguments]), Run(
        folder / name
    )


def with_kept_programs():
    """The environment of a process that finds what the tests have compiled."""
    return os.environ | {
        "JAX_COMPILATION_CACHE_DIR": jax.config.jax_compilation_cache_dir,
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }


def start(folder, *arguments):
    """The same in a process of its own, which saves a checkpoint at every evaluation."""
    arguments = ["train", *SMALL, "--out", str(folder), "--name", "run", *arguments]
    program = (
        "from jaxcurriculum.cli import main\nfrom jaxcurriculum.runs import"
        " recorder\nrecorder.SECONDS_BETWEEN_CHECKPOINTS = 0\nimport sys; sys.argv[1:] ="
        f" {arguments!r}\nmain.main()"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program],
        env=with_kept_programs(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def space_of(experiment):
    return experiment.loop.student.task_space
