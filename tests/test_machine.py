"""Setting JAX up for a processor, each time in a process of its own."""

import os
import subprocess
import sys

PROGRAM = """
import jax, jax.numpy as jnp, jaxcurriculum
{before}
jaxcurriculum.use_cores({cores})
looped = jax.jit(lambda x: jax.lax.fori_loop(0, 10, lambda i, x: jnp.sin(x), x))
print(len(jax.devices()), "xla_cpu_small_call" in looped.lower(jnp.ones(5000)).compile().as_text())
"""


def run(cores, before="", **environment):
    clean = {name: value for name, value in os.environ.items() if name not in ("XLA_FLAGS", "JAX_NUM_CPU_DEVICES")}
    command = [sys.executable, "-c", PROGRAM.format(cores=cores, before=before)]
    return subprocess.run(command, env={**clean, "JAX_PLATFORMS": "cpu", **environment}, capture_output=True, text=True)


def test_a_device_a_core_and_short_loops_as_one_function():
    assert run("3").stdout.split() == ["3", "True"]
    assert run("").stdout.split() == [str(len(os.sched_getaffinity(0))), "True"]


def test_what_the_environment_says_stays():
    flags = "--xla_force_host_platform_device_count=4 --xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=0"
    assert run("2", XLA_FLAGS=flags).stdout.split() == ["4", "False"]
    assert run("", before="jax.config.update('jax_num_cpu_devices', 5)").stdout.split() == ["5", "True"]


def test_mistakes():
    assert "num_cores must be at least 1, got 0" in run("0").stderr
    assert "before" in run("2", before="jnp.ones(1).block_until_ready()").stderr
