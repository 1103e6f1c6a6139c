"""How much memory there is for arrays."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import jax
from jax.extend import core


def memory_bytes() -> int:
    """The memory of the first device, in bytes; on a CPU that of the machine."""
    statistics = jax.devices()[0].memory_stats() or {}
    if "bytes_limit" in statistics:
        return statistics["bytes_limit"]
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def working_bytes(jaxpr: core.Jaxpr) -> int:
    """The most that the arrays of a traced function take at a time, its arguments left out.

    They live from the equation that makes them to the last that reads them. A compiler fuses some
    and copies others: a walker with PPO has 30 MB by this count, and 44 MB compiled for a CPU.

    >>> loop = lambda x: jax.lax.scan(lambda x, _: (x, x), x, length=10)
    >>> working_bytes(jax.make_jaxpr(loop)(jax.numpy.zeros(100)).jaxpr)  # ten rows
    4000
    """
    last = {
        variable: place
        for place, equation in enumerate(jaxpr.eqns)
        for variable in _variables(equation.invars)
    }
    last |= dict.fromkeys(_variables(jaxpr.outvars), len(jaxpr.eqns))
    alive: dict[core.Var, int] = {}
    most = 0
    for place, equation in enumerate(jaxpr.eqns):
        made = {variable: _num_bytes(variable) for variable in equation.outvars}
        inside = max(map(working_bytes, _inner(equation)), default=0)
        most = max(most, sum(alive.values()) + sum(made.values()) + inside)
        alive |= made
        alive = {
            variable: size for variable, size in alive.items() if last.get(variable, -1) > place
        }
    return most


def _variables(atoms: list[Any]) -> list[core.Var]:
    return [atom for atom in atoms if not isinstance(atom, core.Literal)]


def _num_bytes(variable: Any) -> int:
    """Bytes of an array; a random key has some, which are too few to count."""
    kind = variable.aval
    return getattr(kind, "size", 0) * getattr(getattr(kind, "dtype", None), "itemsize", 0)


def _inner(equation: Any) -> Iterator[core.Jaxpr]:
    """The functions that an equation, as that of a loop, calls."""
    for value in equation.params.values():
        for one in value if isinstance(value, tuple | list) else (value,):
            if hasattr(inner := getattr(one, "jaxpr", one), "eqns"):
                yield inner
