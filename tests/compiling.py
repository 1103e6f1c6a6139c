"""Compiling for programs that are run a few times only: a walker's step takes 3 s then instead of 17 s, and runs slower."""

import functools

import jax

quick_jit = functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
