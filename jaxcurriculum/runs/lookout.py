"""Looking for the first number that is not finite, after each function of a role."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import io_callback

from jaxcurriculum import Loop
from jaxcurriculum.device.machine import is_known_jaxlib
from jaxcurriculum.loop import bind
from jaxcurriculum.records import PyTree
from jaxcurriculum.roles import Environment

# A program that runs for a second need not be fast. Emitters of fused loops each start a compiler
# of their own.
QUICKLY: dict[str, Any] = {"xla_backend_optimization_level": 0}
if is_known_jaxlib():  # an option that a version does not know is an error
    QUICKLY["xla_cpu_use_fusion_emitters"] = False
ENVIRONMENT = ("generate", "reset", "step")  # each may depend on those before it
TEACHER = ("init", "propose", "update")
# What a student does not know about an episode is nan by contract, and so may be what stands in an
# invalid slot.
STUDENT = {
    "init": lambda state: state,
    "train": lambda result: (result[0], jnp.where(result[1].valid, result[1].returns, 0)),
}


class Lookout:
    """Watches an environment and the roles that are made with it, then programs of them.

    Environments are called in batches and scans, from where only a callback can tell.
    """

    def __init__(self):
        # by the environment: the place of the function in ENVIRONMENT, and what is wrong
        self.told: list[tuple[int, str]] = []
        self.looks: list[tuple[str, jax.Array]] = []  # by the roles of the program that is traced

    def environment(self, env: Environment) -> Environment:
        """`env`, whose functions tell of nans, and of infinite rewards and observations."""

        def watched(name: str, parts: Callable[[Any], dict[str, PyTree]]) -> Callable:
            function = getattr(env, name)

            def watching(*arguments):
                result = function(*arguments)
                self._look(env.name, name, parts(result))
                return result

            return watching

        played = lambda result: {"state": result[0], "timestep": result[1]}
        return dataclasses.replace(
            env,
            generate=watched("generate", lambda level: {"level": level}),
            reset=watched("reset", played),
            step=watched("step", played),
        )

    def loop(self, loop: Loop) -> Loop:
        """`loop`, whose roles tell of nans."""
        keep = lambda result: result
        teacher = {name: self._noting(loop.teacher, name, keep) for name in TEACHER}
        student = {name: self._noting(loop.student, name, known) for name, known in STUDENT.items()}
        return bind(
            dataclasses.replace(loop.teacher, **teacher),
            dataclasses.replace(loop.student, **student),
            loop.test_tasks,
            loop.config,
        )

    def program(self, function: Callable) -> Callable:
        """`function`, compiled as quickly as can be; it raises for what was told first.

        Raises:
          FloatingPointError: naming the function and the leaf.
        """

        def looking(*arguments):
            self.looks.clear()
            result = function(*arguments)
            names[:] = [name for name, _ in self.looks]
            return result, [is_nan for _, is_nan in self.looks]

        def checked(*arguments):
            result, flags = program(*arguments)
            jax.block_until_ready(flags)
            jax.effects_barrier()
            # Callbacks of one moment come in any order, causes go before effects.
            found = [text for _, text in sorted(self.told, key=lambda told: told[0])]
            found += [name for name, is_nan in zip(names, flags) if is_nan]
            if found:
                raise FloatingPointError(f"{found[0]}.")
            return result

        names: list[str] = []
        program = jax.jit(looking, compiler_options=QUICKLY)
        return checked

    def _look(self, env: str, function: str, parts: dict[str, PyTree]) -> None:
        """Look into what a function of an environment gave, now and whenever it is computed."""
        leaves = _numbers(parts)
        if not leaves:
            return

        def tell(are_wrong: jax.Array) -> None:
            # as NumPy's: to take a JAX array apart is a program, which would wait for this one
            for name, is_wrong in zip(leaves, np.asarray(are_wrong)):
                if is_wrong:
                    text = f"{env}.{function} made a number that is not finite in {name}"
                    self.told.append((ENVIRONMENT.index(function), text))

        # a state may hold infinities that mean something, as a time that never comes
        are_wrong = [
            jnp.any(~jnp.isfinite(leaf) if name.startswith("timestep") else jnp.isnan(leaf))
            for name, leaf in leaves.items()
        ]
        io_callback(tell, None, jnp.stack(are_wrong))

    def _noting(self, role: Any, name: str, known: Callable) -> Callable:
        """A function of a role that notes, while it is traced, whether its results hold a nan."""
        function = getattr(role, name)

        def watched(*arguments):
            result = function(*arguments)
            for path, leaf in _numbers(known(result)).items():
                self.looks.append(
                    (f"{role.name}.{name} made a nan in {path}", jnp.isnan(leaf).any())
                )
            return result

        return watched


def _numbers(tree: PyTree) -> dict[str, jax.Array]:
    """The leaves that are real numbers, by their path, as "timestep.reward"."""
    return {
        jax.tree_util.keystr(path, simple=True, separator="."): leaf
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
        if jnp.issubdtype(jnp.result_type(leaf), jnp.floating)
    }
