"""Compiling for programs that run for a short time: in less of it, and they run slower."""

import functools

import jax

# A few runs: compiled in a quarter of the time, and up to ten times slower.
QUICKLY = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}
quick_jit = functools.partial(jax.jit, compiler_options=QUICKLY)
# Some seconds of runs: compiled in half of the time, and slower by a fifth.
BRISKLY = {"xla_backend_optimization_level": 1, "xla_cpu_use_fusion_emitters": False}
brisk_jit = functools.partial(jax.jit, compiler_options=BRISKLY)
