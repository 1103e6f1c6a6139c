"""Compiling for programs that are run a few times only: in a third of the time, and they run
slower.
"""

import functools

import jax

QUICKLY = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}
quick_jit = functools.partial(jax.jit, compiler_options=QUICKLY)
