"""The report of a thousand runs on the toy grid, of 20,000 episodes each: seconds of the processor.

The runs are copies of one of ALP-GMM. Imports are not counted. A page opens in headless Chromium
(Debian's packages chromium and chromium-driver), from the request to the end of its scripts: the
shortest of five, on a screen and on a phone.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import tempfile
import time
from typing import Any

from bench.measure import peak_megabytes, pin

PLAIN = ("config", "meta")
COLUMNS = ("runs", "conditions", "seeds of each", "CPU seconds", "page, MB", "peak MB")
COLUMNS += ("opens, s", "on a phone")
SCREENS = {  # width, height, pixels of the device to one, whether it is a phone
    "opens, s": (1280, 900, 1, False),
    "on a phone": (375, 800, 2, True),
}


def measure(quick: bool) -> list[dict[str, Any]]:
    """Runs of one seed of many conditions, and of few; then five conditions of 32 seeds."""
    num, episodes = (100, 2000) if quick else (1000, 20_000)
    with tempfile.TemporaryDirectory() as folder:
        template = trained(pathlib.Path(folder) / "template", episodes)
        return [
            _row(template, pathlib.Path(folder) / f"study-{seeds}", num_conditions, seeds)
            for num_conditions, seeds in ((num, 1), (num // 8, 8), (5, 32))
        ]


def trained(path: pathlib.Path, num_episodes: int) -> pathlib.Path:
    """The folder of a run, evaluated after every 1,000 episodes."""
    from rich.console import Console

    from jaxcurriculum.cli.build import build
    from jaxcurriculum.cli.settings import Settings
    from jaxcurriculum.runs.host import run_experiment
    from jaxcurriculum.runs.store import Run

    sizes = {"seeds": 1, "steps": float(num_episodes), "evaluate_every": 1000}
    experiment = build(Settings(student="toy-grid", teacher="alp-gmm", **sizes))
    run_experiment(experiment, Run(path), Console(quiet=True), ())
    return path


def study(template: pathlib.Path, path: pathlib.Path, num_conditions: int, num_seeds: int) -> None:
    """Copies of a run of one seed in `path/runs`, whose tables are shared by those of one seed."""
    config, meta = (json.loads((template / f"{name}.json").read_text()) for name in PLAIN)
    for seed in range(num_seeds):
        tables = renumbered(template, path / f"seed-{seed}", seed)
        for condition in range(num_conditions):
            run = path / "runs" / f"{condition}-{seed}"
            shutil.copytree(tables, run, copy_function=os.link)
            settings = {"teacher.exploration": condition / num_conditions, "seed": seed}
            (run / "config.json").write_text(json.dumps(config | settings))
            (run / "meta.json").write_text(json.dumps(meta | {"first_seed": seed}))


def renumbered(template: pathlib.Path, path: pathlib.Path, seed: int) -> pathlib.Path:
    """The tables and reports of a run of seed 0 as those of another."""
    import polars as pl

    shutil.copytree(template / "reports", path / "reports")
    for name in ("episodes", "evaluations"):
        (path / name).mkdir()
        for part in (template / name).iterdir():
            table = pl.read_parquet(part).with_columns(pl.col("seed") + seed)
            table.write_parquet(path / name / part.name, compression="zstd", statistics=False)
    return path


def _row(
    template: pathlib.Path, path: pathlib.Path, num_conditions: int, num_seeds: int
) -> dict[str, Any]:
    from rich.console import Console

    from jaxcurriculum import runs
    from jaxcurriculum.report import study_report  # noqa: F401

    study(template, path, num_conditions, num_seeds)
    start = time.process_time()
    page, *_ = runs.report(path, console=Console(quiet=True))
    return {
        "runs": num_conditions * num_seeds,
        "conditions": num_conditions,
        "seeds of each": num_seeds,
        "CPU seconds": time.process_time() - start,
        "page, MB": page.stat().st_size / 1e6,
        "peak MB": peak_megabytes(),
        **opening_seconds(page),
    }


def opening_seconds(page: pathlib.Path) -> dict[str, float]:
    """How long a page takes to load and to run its scripts, on each of `SCREENS`."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    with webdriver.Chrome(options, Service(shutil.which("chromedriver"))) as browser:
        return {what: _opening(browser, page, screen) for what, screen in SCREENS.items()}


def _opening(browser: Any, page: pathlib.Path, screen: tuple[Any, ...]) -> float:
    names = ("width", "height", "deviceScaleFactor", "mobile")
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", dict(zip(names, screen)))
    ended = "return performance.getEntriesByType('navigation')[0].loadEventEnd / 1000"
    taken = []
    for _ in range(5):
        browser.get(page.as_uri())
        taken.append(browser.execute_script(ended))
    return min(taken)


if __name__ == "__main__":
    from bench.report import main

    pin(2)
    main(measure)
