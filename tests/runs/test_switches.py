"""JAX's own switches on the command line: a run is made in spite of some, and keeps those that
decide its numbers.
"""

import json

import jax
import pytest
from toy_runs import train

from jaxcurriculum.cli import main
from jaxcurriculum.cli.build import build
from jaxcurriculum.cli.settings import Settings
from jaxcurriculum.device.switches import value_of
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.host import restore
from jaxcurriculum.runs.switches import RECORDED

RANDOM = ("--teacher", "random")
SET = {
    "jax_enable_x64": True,
    "jax_debug_nans": True,
    "jax_debug_infs": True,
    "jax_debug_key_reuse": True,
    "jax_disable_jit": True,
    "jax_default_prng_impl": "rbg",
    "jax_numpy_dtype_promotion": "strict",
    "jax_legacy_prng_key": "error",
    "jax_error_checking_behavior_nan": "raise",
}
CHANGING = {
    "jax_threefry_partitionable": False,
    "jax_random_seed_offset": 1,
    "jax_high_dynamic_range_gumbel": True,
    "jax_default_matmul_precision": "highest",
    "jax_disable_most_optimizations": True,
}


@pytest.fixture(autouse=True)
def switches_as_before():
    before = {name: value_of(name) for name in SET | CHANGING}
    yield
    for name, value in before.items():
        jax.config.update(name, value)


@pytest.fixture
def run(tmp_path, no_figures):
    """A run of two evaluations that can go on."""
    status, run = train(tmp_path, *RANDOM, "--steps", "1000")
    assert status == 0
    return run


def go_on(run):
    """Resume `run` for two more evaluations. Returns the exit status."""
    return train(run.path.parent, *RANDOM, "--steps", "2000", "--resume", name=run.path.name)[0]


@pytest.mark.parametrize("names", [[name] for name in SET] + [list(SET)], ids="+".join)
def test_a_run_is_made_in_spite_of(run, tmp_path, capsys, names):
    capsys.readouterr()
    for name in names:
        jax.config.update(name, SET[name])
    status, again = train(tmp_path, *RANDOM, "--steps", "1000", name="again")
    said = capsys.readouterr().err
    assert status == 0 and again.episodes().equals(run.episodes())
    assert said.count("\n") == len(names) and all(f"{name} is set to" in said for name in names)


def test_every_recorded_switch_is_one_of_jax_and_tried_here():
    assert set(CHANGING) == set(RECORDED) <= set(jax.config.values)


@pytest.mark.parametrize("name", CHANGING)
def test_a_run_keeps_the_switches_that_decide_its_numbers(run, capsys, name):
    before, experiment = run.meta, build(Settings.recorded(run.config))
    capsys.readouterr()
    jax.config.update(name, CHANGING[name])
    assert go_on(run) == 1
    said = capsys.readouterr().err
    assert f"made with {name.upper()}={before['switches'][name]}" in said and said.count("\n") == 1
    assert run.meta == before
    with pytest.raises(RunError, match=name.upper()):  # films of it would show other tracks
        restore(experiment, run)


def test_a_run_made_before_switches_were_recorded_goes_on(run):
    meta = run.meta
    del meta["switches"]
    (run.path / "meta.json").write_text(json.dumps(meta))
    assert go_on(run) == 0


def test_other_versions_and_devices_are_said_once_and_written_down(run, capsys):
    old = run.meta
    (run.path / "meta.json").write_text(
        json.dumps(
            old
            | {
                "versions": old["versions"] | {"jaxlib": "0.1", "polars": "0.1"},
                "device": "1 x abacus",
            }
        )
    )
    capsys.readouterr()
    assert go_on(run) == 0
    changed = (
        f"jaxlib 0.1 -> {old['versions']['jaxlib']}, device abacus ->"
        f" {jax.devices()[0].device_kind}"
    )
    assert f"Going on with {changed}:" in " ".join(capsys.readouterr().out.split())
    assert (
        run.meta["changes"] == [f"evaluation 2: {changed}"]
        and run.meta["versions"] == old["versions"]
    )
    assert go_on(run) == 0
    assert "Going on with" not in capsys.readouterr().out and len(run.meta["changes"]) == 1


@pytest.mark.parametrize("error", [RuntimeError("Unable to initialize backend"), AssertionError()])
@pytest.mark.parametrize("arguments", [["train", "--student", "toy-grid"], ["render", "nowhere"]])
def test_a_device_that_is_not_there(tmp_path, capsys, monkeypatch, error, arguments):
    def devices():
        raise error

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(jax, "devices", devices)
    assert main.run(arguments) == 1
    said = capsys.readouterr().err
    assert "JAX finds no device for JAX_PLATFORMS=" in said and said.count("\n") == 1
    assert not list(tmp_path.iterdir())
