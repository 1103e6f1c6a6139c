"""Setting JAX up for a processor, each time in a process of its own."""

import os
import pathlib
import subprocess
import sys

import compiler_programs
import pytest

from jaxcurriculum.device.machine import available_cores

PROGRAM = """
import jax, jax.numpy as jnp, jaxcurriculum
{before}
jaxcurriculum.use_cores({cores})
looped = jax.jit(lambda x: jax.lax.fori_loop(0, 10, lambda i, x: jnp.sin(x), x))
print(len(jax.devices()), "xla_cpu_small_call" in looped.lower(jnp.ones(5000)).compile().as_text())
"""


def python(*arguments, **environment):
    clean = {
        name: value
        for name, value in os.environ.items()
        if name not in ("XLA_FLAGS", "JAX_NUM_CPU_DEVICES")
    }
    command = [sys.executable, *arguments]
    return subprocess.run(
        command,
        env={**clean, "JAX_PLATFORMS": "cpu", **environment},
        capture_output=True,
        text=True,
    )


def run(cores, before="", **environment):
    return python("-c", PROGRAM.format(cores=cores, before=before), **environment)


def test_a_device_a_core_and_short_loops_as_one_function():
    assert run("3").stdout.split() == ["3", "True"]
    assert run("").stdout.split() == [str(available_cores()), "True"]


def test_what_the_environment_says_stays():
    flags = (
        "--xla_force_host_platform_device_count=4"
        " --xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=0"
    )
    assert run("2", XLA_FLAGS=flags).stdout.split() == ["4", "False"]
    assert run("", before="jax.config.update('jax_num_cpu_devices', 5)").stdout.split() == [
        "5",
        "True",
    ]


def test_mistakes():
    assert "num_cores must be at least 1, got 0" in run("0").stderr
    assert "before" in run("2", before="jnp.ones(1).block_until_ready()").stderr


@pytest.mark.parametrize("name", [*compiler_programs.PROGRAMS, "ucb"])
def test_ordinary_programs_compile_and_end_right(name):
    """The compiler must not end the process where two arrays are written at the same place
    (openxla/xla issue 47367).
    """
    result = python(compiler_programs.__file__, name)
    assert (result.returncode, result.stdout.split()) == (0, ["right"]), result.stderr[-2000:]


def test_the_pass_that_dies_stays_away_beside_passes_that_a_user_turns_off():
    result = python(
        compiler_programs.__file__, "bandit", XLA_FLAGS="--xla_disable_hlo_passes=algsimp"
    )
    assert (result.returncode, result.stdout.split()) == (0, ["right"]), result.stderr[-2000:]


def test_an_unknown_jaxlib_is_given_no_options_and_that_is_said(tmp_path):
    before = """
import importlib.metadata
version = importlib.metadata.version
importlib.metadata.version = lambda name: "1.2.3" if name == "jaxlib" else version(name)
"""
    after = "print(jaxcurriculum.map_seeds(lambda x: 2 * x, 2)(jnp.arange(2)))"
    cached = {"JAX_COMPILATION_CACHE_DIR": str(tmp_path)}
    result = python("-c", PROGRAM.format(cores=2, before=before) + after, **cached)
    assert result.stdout.split() == ["2", "False", "[0", "2]"], result.stderr[-2000:]
    assert "jaxlib 1.2.3 is not one that" in result.stderr
    assert "walkers on a CPU may run at half the speed" in result.stderr


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, None),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "100000 100000\n"}, 1),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "20000 100000\n"}, 1),
        ({"proc/self/cgroup": "0::/job/task\n", "sys/fs/cgroup/job/cpu.max": "190000 100000\n"}, 1),
        (
            {
                "proc/self/cgroup": "4:memory:/x\n3:cpu,cpuacct:/docker/1\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "150000\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            },
            1,
        ),
        (
            {
                "proc/self/cgroup": "1:cpu:/\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            None,
        ),
    ],
    ids=[
        "no groups",
        "no limit",
        "one core",
        "a fifth",
        "a folder above",
        "version 1",
        "version 1, no limit",
    ],
)
def test_no_more_cores_than_a_containers_share(tmp_path: pathlib.Path, monkeypatch, files, cores):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(32), raising=False)
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert available_cores(tmp_path) == (cores or 32)
