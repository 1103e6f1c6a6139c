"""Small runs on the toy grid through the command line, in this process and in one of their own."""

import subprocess
import sys

from jaxcurriculum.experiments import cli
from jaxcurriculum.experiments.store import Run

SMALL = ["--student", "toy-grid", "--steps", "4000", "--evaluate-every", "500", "--set", "student.cells=5", "student.episodes_per_round=50"]


def train(folder, *arguments, name="run"):
    """`jaxcurriculum train` on a small toy grid. Returns the exit status and the run."""
    return cli.run(["train", *SMALL, "--out", str(folder), "--name", name, *arguments]), Run(folder / name)


def start(folder, *arguments):
    """The same in a process of its own, which saves a checkpoint at every evaluation."""
    arguments = ["train", *SMALL, "--out", str(folder), "--name", "run", *arguments]
    program = (
        "from jaxcurriculum.experiments import cli, recorder\n"
        f"recorder.SECONDS_BETWEEN_CHECKPOINTS = 0\nimport sys; sys.argv[1:] = {arguments!r}\ncli.main()"
    )
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
