"""Strict JAX for every test: implicit rank promotion is an error, two CPU devices, compilations
are quick, and cached between runs.
"""

import gc
import os
import pathlib

import jax
import pytest

from jaxcurriculum import use_cores
from jaxcurriculum.device.machine import is_known_jaxlib
from jaxcurriculum.testing.compiling import QUICKLY

# Two workers keep both cores busy. XLA's own pool of threads can wait for itself for ever.
ONE_THREAD = {"xla_cpu_multi_thread_eigen": False}


def pytest_addoption(parser):
    parser.addoption(
        "--optimized",
        action="store_true",
        help="compile as users do, with all optimisations",
    )


def pytest_configure(config):
    use_cores(2)
    if not config.getoption("optimized") and is_known_jaxlib():
        options = QUICKLY | ONE_THREAD
        flags = [f"--{name}={value}".lower() for name, value in options.items()]
        os.environ["XLA_FLAGS"] = " ".join([os.environ["XLA_FLAGS"], *flags])


def pytest_collection_finish():
    """What the imports made stays: the collector of garbage need not look through it again."""
    gc.collect()
    gc.freeze()


jax.config.update("jax_numpy_rank_promotion", "raise")
if (
    not jax.config.jax_compilation_cache_dir
):  # JAX_COMPILATION_CACHE_DIR names another, as for a start without any
    jax.config.update(
        "jax_compilation_cache_dir", str(pathlib.Path(__file__).parents[1] / ".jax_cache")
    )
jax.config.update(
    "jax_persistent_cache_min_compile_time_secs", 0
)  # a step called as it stands is hundreds of small programs


@pytest.fixture
def untraced(monkeypatch):
    """Walkers with PPO take seconds to trace; that they fit a teacher is tested where they run."""
    monkeypatch.setattr("jaxcurriculum.loop.check_roles", lambda *roles: None)


@pytest.fixture
def no_figures(monkeypatch):
    """Runs end with their table: figures take longer than the training of a small run."""
    monkeypatch.setattr("jaxcurriculum.report.plots.draw", lambda run: [])


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium, of all tests of a process that look at a page."""
    from browsing import chromium  # it takes a second to import

    with chromium() as browser:
        yield browser
