"""Bodies as arrays: one compiled program runs all of one shape, and is told which when it begins.

Bodies have one shape when they differ only in what `Anatomy` holds as arrays: measures, masses,
torques and starts. Of the named ones the default, the short and the long do; a quadruped has more
legs, and pays another price for torque.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np

from jaxcurriculum.envs.walker.bodies import BODIES, Anatomy, Body, Span, anatomy

ARRAYS = {  # fields of a body that are arrays in its anatomy
    "hull",
    "hips",
    "link_lengths",
    "link_widths",
    "hull_density",
    "link_density",
    "motor_torques",
    "start",
    "start_on_pieces",
}


def body_arrays(name: str) -> Anatomy | None:
    """The body called `name` as arrays, of one structure for all named ones of its shape; None
    where it is the only one.

    >>> short, long = body_arrays("short"), body_arrays("long")
    >>> short.body == long.body, short.length.sum().round(3), long.length.sum().round(3)
    (True, np.float32(1.133), np.float32(3.4))
    >>> body_arrays("quadruped") is None
    True
    """
    shape = _shape(BODIES[name])
    alike = [body for body in BODIES.values() if _shape(body) == shape]
    if len(alike) == 1:
        return None
    spans = [dataclasses.astuple(anatomy(body).span) for body in alike]
    largest = Span(*map(max, zip(*spans)))  # decides how much of a track a step reads
    return anatomy(BODIES[name], span=largest).replace(body=alike[0])


def _shape(body: Body) -> Any:
    """What bodies of one shape have in common."""
    kept = {"name": None} | dict.fromkeys(ARRAYS)
    fields = {each.name: getattr(body, each.name) for each in dataclasses.fields(body)}
    arrays = anatomy(body).replace(body=None, span=None)
    return fields | kept, jax.tree.structure(arrays), [np.shape(x) for x in jax.tree.leaves(arrays)]
