"""Compiling for programs that run a few times only: quickly, and they run slower."""

import functools

import jax

QUICKLY = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}
quick_jit = functools.partial(jax.jit, compiler_options=QUICKLY)
