"""Tasks that the teacher sees side by side are not alike."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxcurriculum.challenges.views import Role, View, box_of, in_view
from jaxcurriculum.configs import Config, field
from jaxcurriculum.fields import check_kind, given
from jaxcurriculum.spaces import Box

Move = Callable[[jax.Array], jax.Array]  # from task to task, [dims]
# of an interval: so far from its ends a mapped task stays, that rounding cannot carry it over
EDGE = 1e-4


@dataclasses.dataclass(frozen=True, kw_only=True)
class RuggedConfig(Config):
    """The shuffle; by default the first that leaves no quarter of four axes in place."""

    intervals: int = field(
        4,
        low=1,
        high=1000,  # the factory makes a table of them for each axis
        help="equal pieces into which each axis is cut",
    )
    landscape: int | jax.Array = field(
        24,
        low=0,
        help="number of the shuffle, the same for all seeds of a run",
    )


def rugged(role: Role, config: RuggedConfig | None = None) -> Role:
    """The same task space with its pieces shuffled.

    Every axis is cut into equal intervals, which are permuted, each axis by itself. All seeds see
    one landscape, so that the test tasks and an expert's easy task have one name in a run
    (TeachMyAgent, which trains one seed a run, draws another for each). For one a seed, map over
    configurations,

        def begin(number, key):
            harder = rugged(student, RuggedConfig(landscape=number))
            return make_loop(teacher, harder, ...).init(key)

        states = jax.vmap(begin)(numbers, keys)

    or draw it as a parameter, `diverse(make, draw_number)` with such a `make` (number) -> student:
    then a test task has another name for each seed, that of `rugged_maps(space, state.parameters)`.

    Differs from the paper: permutations are drawn by JAX, not by NumPy from the number of the run.

    Raises:
      ValueError: when the student plays an environment (wrap that).

    >>> from jaxcurriculum.students.simulated import toy_grid
    >>> rugged(toy_grid()).task_space == toy_grid().task_space
    True
    """
    config = given(config, RuggedConfig)
    space = box_of("rugged", role)
    to_original, _ = rugged_maps(space, config.landscape, config.intervals)
    return in_view(role, View(name="rugged", space=space, to_original=to_original))


def rugged_maps(
    space: Box,
    landscape: int | jax.Array = RuggedConfig.landscape,
    intervals: int = RuggedConfig.intervals,
) -> tuple[Move, Move]:
    """(to_original, to_view): what a teacher's task really is, and how it names one.

        to_original:  u = (j + f) / intervals of the unit cube
                      ->  (permutation[j] + f) / intervals,  each axis by itself

    f, the place within interval j, is kept 0.0001 off its ends, where rounding could carry a task
    into the next interval. `landscape` is the number of the shuffle.

    Raises:
      TypeError: when `space` is no Box.
      ValueError: when `RuggedConfig` does not allow these numbers.

    >>> box = Box(names=("height",), low=(0.0,), high=(3.0,))
    >>> to_original, to_view = rugged_maps(box)
    >>> bool(jnp.allclose(to_original(to_view(jnp.array([0.6]))), 0.6))
    True
    """
    check_kind("rugged_maps.space", space, Box)
    RuggedConfig(landscape=landscape, intervals=intervals)  # checks them
    keys = jax.random.split(jax.random.key(landscape), space.dims)
    order = jax.vmap(lambda key: jax.random.permutation(key, intervals))(keys)  # [dims, intervals]

    def along(order: jax.Array) -> Move:
        def move(task: jax.Array) -> jax.Array:
            scaled = space.to_unit(task) * intervals
            interval = jnp.clip(jnp.floor(scaled), 0, intervals - 1).astype(jnp.int32)
            inside = jnp.clip(scaled - interval, EDGE, 1 - EDGE)
            moved = jnp.take_along_axis(order, interval[:, None], axis=1)[:, 0]
            return space.from_unit((moved + inside) / intervals)

        return move

    return along(order), along(jnp.argsort(order, axis=1))
