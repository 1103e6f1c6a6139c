"""kill -9 at random moments of a study with two workers: does it always end the same?

    python tests/kill_studies.py 20

Two processes run one study on the toy grid; one of them, drawn by chance, is killed at a moment
drawn by chance and started again, once or twice, until both end by themselves. Every other study is
first run with fewer seeds and steps, killed as well, and then extended. Does so with as many
studies as are asked for, and prints a line an ending.
"""

from __future__ import annotations

import argparse
import pathlib
import random
import sys
import tempfile
import time

import jax
from studies import FILE, content, runs_in, start

MOST_KILLS = 2  # in one study
SHORTER = FILE.replace("seeds = 3", "seeds = 2").replace("steps = 4000", "steps = 2000")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("num_endings", type=int)
    num_endings = parser.parse_args().num_endings
    with tempfile.TemporaryDirectory() as folder:
        jax.config.update("jax_compilation_cache_dir", f"{folder}/programs")  # of all processes
        file, shorter = (pathlib.Path(folder) / f"{name}.toml" for name in ("study", "shorter"))
        file.write_text(FILE)
        shorter.write_text(SHORTER)
        assert start(file, pathlib.Path(folder) / "whole").wait() == 0
        expected = everything(pathlib.Path(folder) / "whole")
        began = time.monotonic()
        assert start(file, pathlib.Path(folder) / "again").wait() == 0  # now nothing compiles
        seconds = time.monotonic() - began
        killed = ending = seed = 0
        while ending < num_endings:
            study = pathlib.Path(folder) / f"killed-{seed}"
            stages = (shorter, file) if seed % 2 else (file,)
            kills = sum(kill_at_random(stage, study, seed, seconds) for stage in stages)
            same = everything(study) == expected
            seed += 1
            killed += kills
            ending += kills > 0  # else it ended before its moment
            told = f"{killed:3} kills, ending {ending}: {'identical' if same else 'DIFFERENT'}"
            print(told, flush=True)
            if not same:
                sys.exit(1)


def kill_at_random(file: pathlib.Path, study: pathlib.Path, seed: int, seconds: float) -> int:
    """Run a study with two workers, of which one is killed now and then, within `seconds` of a
    start. Returns how often.
    """
    draw, killed = random.Random(seed), 0
    most = draw.randint(1, MOST_KILLS)
    workers = [start(file, study) for _ in range(2)]
    while killed < most:
        time.sleep(draw.uniform(0, seconds))
        index = draw.randrange(2)
        if workers[index].poll() is not None:
            break  # there is nothing left to do
        workers[index].kill()
        workers[index].wait()
        killed += 1
        workers[index] = start(file, study)
    for worker in workers:
        assert worker.wait() == 0, worker.stderr and worker.stderr.read()
    return killed


def everything(study: pathlib.Path) -> dict[str, object]:
    """All numbers of a study."""
    return {name: [content(run, seed) for seed in range(3)] for name, run in runs_in(study).items()}


if __name__ == "__main__":
    main()
