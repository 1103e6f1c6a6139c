"""Run every bench in a process of its own, print the tables, and write bench/results/NAME.json.

    python -m bench [--quick] [--only walkers training ...] [--name NAME]
    python -m bench --only accelerator                                        on a GPU or TPU

Nothing else may run on the machine meanwhile. Each table is measured in one process, so its ratios
are of one run.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pathlib
import subprocess
import sys
import time

from rich.console import Console

from bench.report import show

BENCHES = (
    "walkers",
    "parts",
    "mazes",
    "maze_training",
    "training",
    "learners",
    "memory",
    "curricula",
    "teachers",
    "thousand",
    "reports",
    "host_teacher",
    "start",
    "fidelity",
    "episodes",
    "stress",
    "gymnasium_vector",
    "adapters",
)
OTHERS = ("accelerator", "scaling")  # where there is one; of studies


def main() -> None:
    """Parse the command line and run what it asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--quick", action="store_true", help="fewer sizes and repeats, about two minutes"
    )
    parser.add_argument(
        "--only", nargs="+", choices=(*BENCHES, *OTHERS), default=BENCHES, help="which tables"
    )
    parser.add_argument(
        "--name", default=time.strftime("%Y-%m-%d-%H%M"), help="name of the JSON file"
    )
    options = parser.parse_args()
    console, results = Console(), {}
    for name in options.only:
        module = importlib.import_module(f"bench.{name}")
        command = [sys.executable, "-m", f"bench.{name}", *(["--quick"] if options.quick else [])]
        result = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        if result.returncode:
            sys.exit(
                f"bench {name} failed with status {result.returncode}; what it said stands above."
            )
        results[name] = json.loads(result.stdout.splitlines()[-1])
        show(console, module.__doc__.splitlines()[0], module.COLUMNS, results[name]["rows"])
    path = pathlib.Path(__file__).parent / "results" / f"{options.name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n")
    console.print(str(path))


if __name__ == "__main__":
    main()
