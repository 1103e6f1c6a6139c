"""Spaces, observations, actions and tasks as gymnasium holds them.

There everything is made of dictionaries, tuples and NumPy's arrays. Here tasks and observations are
any pytree: records with named fields become dictionaries.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import gymnasium
import jax
import numpy as np
from gymnasium import spaces

from jaxcurriculum.records import PyTree
from jaxcurriculum.roles import Environment
from jaxcurriculum.spaces import Box, Discrete, Product, Space


class Layout:
    """How a pytree of one structure looks in gymnasium, there and back.

    >>> from jaxcurriculum import envs
    >>> layout = Layout(jax.eval_shape(envs.maze().task_space.sample, jax.random.key(0)))
    >>> sorted(layout.shapes)
    ['agent', 'direction', 'goal', 'time_limit', 'walls']
    """

    def __init__(self, shapes: PyTree):
        leaves, self._structure = jax.tree.flatten(shapes)
        numbers = self._structure.unflatten(range(len(leaves)))
        self._numbers = _dictionaries_and_tuples(numbers)
        self.shapes = jax.tree.map(lambda number: leaves[number], self._numbers)

    def plain(self, tree: PyTree) -> Any:
        """A copy of `tree` in dictionaries, tuples and NumPy's arrays."""
        leaves = jax.tree.leaves(tree)
        return jax.tree.map(lambda number: np.array(leaves[number]), self._numbers)

    def pytree(self, plain: Any) -> PyTree:
        """What `plain` stands for; the pytree itself is one, too.

        Raises:
          ValueError: when it is made of other parts.
        """
        if jax.tree.structure(plain) == self._structure:
            return plain
        leaves: dict[int, Any] = {}
        jax.tree.map(leaves.__setitem__, self._numbers, plain)
        return self._structure.unflatten([leaves[number] for number in range(len(leaves))])


def _dictionaries_and_tuples(tree: PyTree) -> Any:
    if dataclasses.is_dataclass(tree):
        fields = dataclasses.fields(tree)
        names = [field.name for field in fields if field.metadata.get("pytree_node", True)]
        tree = {name: getattr(tree, name) for name in names}
    elif hasattr(tree, "_asdict"):
        tree = tree._asdict()
    if isinstance(tree, Mapping):
        return {name: _dictionaries_and_tuples(part) for name, part in tree.items()}
    if isinstance(tree, (tuple, list)):
        return tuple(_dictionaries_and_tuples(part) for part in tree)
    if jax.tree.structure(tree) != jax.tree.structure(0):
        raise ValueError(
            "gymnasium takes arrays in dictionaries, tuples and records with named fields, got"
            f" {type(tree).__name__}."
        )
    return tree


def observation_space(layout: Layout) -> gymnasium.Space:
    """The space of observations in `layout`, as wide as their dtypes."""

    def space(shapes: Any) -> gymnasium.Space:
        if isinstance(shapes, dict):
            return spaces.Dict({name: space(part) for name, part in shapes.items()})
        if isinstance(shapes, tuple):
            return spaces.Tuple([space(part) for part in shapes])
        low, high = _bounds(np.dtype(shapes.dtype))
        return spaces.Box(low, high, shapes.shape, shapes.dtype)

    return space(layout.shapes)


def _bounds(dtype: np.dtype) -> tuple[Any, Any]:
    if dtype.kind == "b":
        return 0, 1
    if dtype.kind in "iu":
        return np.iinfo(dtype).min, np.iinfo(dtype).max
    return -np.inf, np.inf


def action_space(env: Environment) -> gymnasium.Space:
    """`env.action_space` as gymnasium has it.

    Raises:
      ValueError: when it is made of anything but Box, Discrete and Product.
    """

    def space(ours: Space) -> gymnasium.Space:
        if isinstance(ours, Box):
            low, high = np.array([ours.low, ours.high], np.float32)
            return spaces.Box(low, high, dtype=np.float32)
        if isinstance(ours, Discrete):
            return spaces.Discrete(ours.num)
        if isinstance(ours, Product):
            return spaces.Dict({name: space(part) for name, part in ours.parts.items()})
        raise ValueError(
            f"Environment {env.name!r}: to gymnasium, action_space must be made of Box, Discrete"
            f" and Product, got {type(ours).__name__}."
        )

    return space(env.action_space)


def checked_actions(space: Space, actions: Any, num: tuple[int, ...], name: str) -> PyTree:
    """`actions` [*num, ...] of the action space `space`, in its dtypes.

    Those outside of a Box are left to be clipped.

    Raises:
      ValueError: naming what has another shape or kind, is not finite, or is none of the choices.
    """
    if isinstance(space, Product):
        if not isinstance(actions, Mapping) or set(actions) != set(space.parts):
            names = list(space.parts)
            raise ValueError(f"{name} must be a dictionary of {names}, got {actions!r}.")
        return {
            part: checked_actions(space.parts[part], actions[part], num, f"{name}[{part!r}]")
            for part in space.parts
        }
    if isinstance(space, Box):
        numbers = _checked_array(actions, "fiu", (*num, space.dims), name)
        if not np.isfinite(numbers).all():
            raise ValueError(f"{name} must be finite, got {numbers}.")
        return numbers.astype(np.float32)
    assert isinstance(space, Discrete)
    choices = _checked_array(actions, "iu", num, name)
    if not ((choices >= 0) & (choices < space.num)).all():
        raise ValueError(f"{name} must lie between 0 and {space.num - 1}, got {choices}.")
    return choices.astype(np.int32)


def _checked_array(values: Any, kinds: str, shape: tuple[int, ...], name: str) -> np.ndarray:
    array = np.asarray(values)
    if array.shape != shape or array.dtype.kind not in kinds:
        numbers = "numbers" if "f" in kinds else "whole numbers"
        raise ValueError(
            f"{name} must be {numbers} of shape {shape}, got {array.dtype} of {array.shape}."
        )
    return array


def checked_options(options: Any, *known: str) -> dict[str, Any]:
    """The `options` of a reset; none are an empty dictionary.

    Raises:
      ValueError: when one is not known here, as a misspelt task would be another task.
    """
    if not isinstance(options, dict | None) or set(options or {}) - set(known):
        raise ValueError(f"options must be a dictionary of {list(known)} alone, got {options!r}.")
    return options or {}


def batch_of_one(task: Any) -> Any:
    """`task` with another axis in front of its arrays and lists; None stays None."""

    def row(leaf: Any) -> np.ndarray:
        return np.asarray(leaf)[None]

    return jax.tree.map(row, task, is_leaf=lambda part: isinstance(part, list))
