"""Spaces of tasks and of actions.

`Box`, named axes with bounds and units, is the one that the continuous teachers need; `Discrete`
holds one of several choices, `Product` several named parts. A world may bring its own (a maze has
layouts): whatever has the functions of `Space` is one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.fields import float_or_traced, is_integer, is_number, is_traced
from jaxcurriculum.records import Key, PyTree


class Space(Protocol):
    """What every task space offers. Tasks are pytrees; each function is about one task.

    A space with an attribute `sizes_vary` that is true holds tasks whose arrays are of other shapes
    than those of `sample`, too: a student may be tested on them. One with a function `fault` of a
    task can say why it is none of its own. One with a function `read` makes a task of a text, or
    raises a ValueError: such a task can be asked for on the command line.
    """

    def sample(self, key: Key) -> PyTree:
        """A task drawn from the space's own (uniform) distribution."""
        ...

    def contains(self, task: PyTree) -> jax.Array:
        """Whether `task` lies in the space, [] bool."""
        ...

    def clip(self, task: PyTree) -> PyTree:
        """The task of the space that is nearest to `task`."""
        ...

    def mutate(self, key: Key, task: PyTree, scale: float) -> PyTree:
        """A random neighbour of `task`; `scale` is a fraction of the space."""
        ...

    def columns(self, tasks: PyTree) -> dict[str, np.ndarray]:
        """A batch of tasks ([num, ...]) as named columns [num]: how they are stored and compared.

        Two tasks with equal columns are equal.
        """
        ...

    def embed(self, task: PyTree) -> jax.Array | None:
        """The place of `task` in the unit cube, [dims]; None where tasks have no distance."""
        ...


@dataclasses.dataclass(frozen=True, init=False)
class Box:
    """A box of named axes. A task is a float32 array [dims] in the axes' own units.

    Args:
      names: one name an axis.
      low, high: bounds, inclusive, in `units`; high >= low. An axis may have no width (a constant).
        Inside a compiled function they may be arrays, which nobody checks.
      units: one unit an axis, "" for none.
      log: axes on which equal ratios are equal distances (their low must be positive).

    Raises:
      ValueError: when the lengths differ, two names are equal, a bound or the distance of two is
        not finite in float32, they are the wrong way round, or a log axis is not positive.

    >>> box = Box(names=("height", "spacing"), low=(0.0, 0.0), high=(3.0, 6.0))
    >>> box.dims, [float(x) for x in box.from_unit(jnp.array([0.5, 0.5]))]
    (2, [1.5, 3.0])
    """

    names: tuple[str, ...]
    low: tuple[Any, ...]  # of floats; of arrays where a function is being traced
    high: tuple[Any, ...]
    units: tuple[str, ...]
    log: tuple[bool, ...]

    def __init__(
        self,
        names: Sequence[str],
        low: Sequence[float | jax.Array],
        high: Sequence[float | jax.Array],
        units: Sequence[str] | None = None,
        log: Sequence[bool] | None = None,
    ):
        fields = {
            "names": (names, str),
            "low": (low, float_or_traced),
            "high": (high, float_or_traced),
            "units": (("",) * len(names) if units is None else units, str),
            "log": ((False,) * len(names) if log is None else log, bool),
        }
        for field, (value, kind) in fields.items():
            if len(value) != len(names):
                raise ValueError(
                    f"Box.{field} must have one entry an axis: {len(names)} names but {len(value)}"
                    f" in {field}."
                )
            object.__setattr__(self, field, tuple(kind(x) for x in value))
        self._check()

    def _check(self) -> None:
        if not self.names:
            raise ValueError("Box.names must name at least one axis, got none.")
        if len(set(self.names)) < len(self.names):
            raise ValueError(f"Box.names must differ from each other, got {self.names}.")
        for name, lo, hi, is_log in zip(self.names, self.low, self.high, self.log):
            if is_traced(lo, hi):
                continue
            if not (is_number(lo) and is_number(hi) and is_number(hi - lo, 0)):
                raise ValueError(
                    f"Box axis {name!r}: bounds and their distance must be finite in float32, low"
                    f" <= high, got low={lo}, high={hi}."
                )
            if is_log and lo <= 0:
                raise ValueError(
                    f"Box axis {name!r} is logarithmic, so its low must be positive, got {lo}."
                )

    @property
    def dims(self) -> int:
        return len(self.names)

    @property
    def bounds(self) -> tuple[Any, Any]:
        """(low, high), [dims] float32 each: constants of NumPy; JAX's where a bound is an array."""
        xp = self._numpy
        return xp.array(self.low, np.float32), xp.array(self.high, np.float32)

    @property
    def has_width(self) -> np.ndarray:
        """Which axes have more than zero width, [dims] bool; one whose bounds are arrays has."""
        return np.array([is_traced(lo, hi) or lo < hi for lo, hi in zip(self.low, self.high)])

    def to_unit(self, task: jax.Array) -> jax.Array:
        """Task [dims] to the unit cube, 0 at low and 1 at high (0 on a zero-width axis)."""
        low, width = self._unit_frame()
        return (self._straighten(task) - low) / (width + (width == 0))

    def from_unit(self, unit: jax.Array) -> jax.Array:
        """Point of the unit cube [dims] to a task, the inverse of `to_unit`."""
        low, width = self._unit_frame()
        straight = jnp.asarray(low + unit * width)
        if any(self.log):
            straight = jnp.where(np.array(self.log), jnp.exp(straight), straight)
        return self.clip(straight)  # rounding must not step over a bound

    def sample(self, key: Key) -> jax.Array:
        """A task, uniform over the box (over its logarithm on log axes), [dims]."""
        return self.from_unit(jax.random.uniform(key, (self.dims,)))

    def contains(self, task: jax.Array) -> jax.Array:
        """Whether task [dims] lies in the box, bounds included; nan does not. [] bool."""
        low, high = self.bounds
        return jnp.all((task >= low) & (task <= high))

    def clip(self, task: jax.Array) -> jax.Array:
        """The point of the box nearest to task [dims]; nan stays nan."""
        return jnp.clip(task, *self.bounds)

    def mutate(self, key: Key, task: jax.Array, scale: float) -> jax.Array:
        """`task` [dims] plus Gaussian noise of deviation `scale` in the unit cube, clipped."""
        noise = scale * jax.random.normal(key, (self.dims,))
        return self.from_unit(jnp.clip(self.to_unit(task) + noise, 0.0, 1.0))

    def columns(self, tasks: jax.Array) -> dict[str, np.ndarray]:
        """Tasks [num, dims] as one column an axis."""
        return {name: np.asarray(tasks)[:, axis] for axis, name in enumerate(self.names)}

    def embed(self, task: jax.Array) -> jax.Array:
        """`to_unit`."""
        return self.to_unit(task)

    def _straighten(self, task: jax.Array) -> jax.Array:
        if not any(self.log):
            return task
        is_log = np.array(self.log)
        return jnp.where(is_log, jnp.log(jnp.where(is_log, task, 1.0)), task)

    @property
    def _numpy(self) -> ModuleType:
        """What computes with the bounds."""
        return jnp if is_traced(*self.low, *self.high) else np

    def _unit_frame(self) -> tuple[Any, Any]:
        xp, is_log = self._numpy, np.array(self.log)
        bounds = xp.array([self.low, self.high])
        logarithms = xp.log(xp.where(is_log, bounds, 1.0))
        low, high = xp.where(is_log, logarithms, bounds)
        return low.astype(np.float32), (high - low).astype(np.float32)


@dataclasses.dataclass(frozen=True)
class Discrete:
    """One of `num` choices, an int32 [] from 0.

    Raises:
      ValueError: when `num` is not a positive integer.

    >>> int(Discrete(num=3).clip(jnp.int32(7)))
    2
    """

    num: int
    name: str = "choice"

    def __post_init__(self):
        if not is_integer(self.num, 1):
            raise ValueError(f"Discrete.num must be a positive integer, got {self.num!r}.")

    def sample(self, key: Key) -> jax.Array:
        """A choice, all equally likely, [] int32."""
        return jax.random.randint(key, (), 0, self.num, jnp.int32)

    def contains(self, task: jax.Array) -> jax.Array:
        """Whether it is one of the choices, [] bool."""
        return (task >= 0) & (task < self.num)

    def clip(self, task: jax.Array) -> jax.Array:
        """The choice whose number is nearest to that of `task`, [] int32."""
        return jnp.clip(task, 0, self.num - 1)

    def mutate(self, key: Key, task: jax.Array, scale: float) -> jax.Array:
        """With probability `scale` another choice, all equally likely; else `task`."""
        key_change, key_choice = jax.random.split(key)
        changed = jax.random.uniform(key_change) < scale
        return jnp.where(changed, self.sample(key_choice), task)

    def columns(self, tasks: jax.Array) -> dict[str, np.ndarray]:
        """The choices [num] as one column."""
        return {self.name: np.asarray(tasks)}

    def embed(self, task: jax.Array) -> None:
        """None: one choice is as far from another as from any."""
        return None


@dataclasses.dataclass(frozen=True, init=False)
class Product:
    """Several named parts, each a space of its own; a task is a dictionary of theirs.

    Raises:
      ValueError: when there is no part.

    >>> space = Product(kind=Discrete(num=2), size=Box(names=("size",), low=(0,), high=(1,)))
    >>> sorted(space.sample(jax.random.key(0)))
    ['kind', 'size']
    """

    parts: Mapping[str, Space]

    def __init__(self, **parts: Space):
        if not parts:
            raise ValueError("Product must have at least one part, got none.")
        object.__setattr__(self, "parts", dict(sorted(parts.items())))

    def __hash__(self) -> int:
        return hash(tuple(self.parts.items()))

    def sample(self, key: Key) -> PyTree:
        """A task, every part drawn by itself."""
        keys = jax.random.split(key, len(self.parts))
        return {name: part.sample(key) for (name, part), key in zip(self.parts.items(), keys)}

    def contains(self, task: PyTree) -> jax.Array:
        """Whether every part is in its space, [] bool."""
        inside = [part.contains(task[name]) for name, part in self.parts.items()]
        return jnp.all(jnp.stack(inside))

    def clip(self, task: PyTree) -> PyTree:
        """Every part clipped."""
        return {name: part.clip(task[name]) for name, part in self.parts.items()}

    def mutate(self, key: Key, task: PyTree, scale: float) -> PyTree:
        """Every part mutated."""
        keys = jax.random.split(key, len(self.parts))
        parts = zip(self.parts.items(), keys)
        return {name: part.mutate(key, task[name], scale) for (name, part), key in parts}

    def columns(self, tasks: PyTree) -> dict[str, np.ndarray]:
        """The columns of every part, by names like "part.axis"."""
        return {
            f"{name}.{column}": values
            for name, part in self.parts.items()
            for column, values in part.columns(tasks[name]).items()
        }

    def embed(self, task: PyTree) -> jax.Array | None:
        """The places of all parts joined; None where one part has none."""
        places = [part.embed(task[name]) for name, part in self.parts.items()]
        known = [place for place in places if place is not None]
        return jnp.concatenate(known) if len(known) == len(places) else None
