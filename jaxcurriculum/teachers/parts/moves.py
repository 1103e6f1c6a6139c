"""How CURROT's particles move: away from what fails, and to their goals among what is mastered."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxcurriculum.records import Key
from jaxcurriculum.teachers.parts.success_buffer import FORBIDDEN
from jaxcurriculum.teachers.parts.transport import assign, dots, squared_distances

Predict = Callable[[jax.Array], jax.Array]  # tasks [num, axes] -> performances [num]


def replace_failures(
    particles: jax.Array, members: jax.Array, predict: Predict, threshold: float | jax.Array
) -> tuple[jax.Array, jax.Array]:
    """The particles, those expected below `threshold` replaced, and which are mastered now.

    Each takes another of `members` ([num, axes] both), of those expected to be mastered if they are
    enough, so that the sum of squared distances is least.
    """
    fails = predict(particles) < threshold
    is_good = predict(members) >= threshold
    is_choice = is_good | (jnp.sum(is_good) < jnp.sum(fails))
    costs = squared_distances(particles, members) + jnp.where(is_choice, 0.0, FORBIDDEN)[None]
    member = assign(jnp.where(fails[:, None], costs, 0.0))  # the others take what is left
    replaced = jnp.where(fails[:, None], members[member], particles)
    return replaced, jnp.where(fails, is_good[member], True)


def unit_vectors(key: Key, num: int, axes: int) -> jax.Array:
    """`num` random directions, [num, axes] of length 1."""
    vectors = jax.random.normal(key, (num, axes))
    return vectors / jnp.linalg.norm(vectors, axis=-1, keepdims=True)


def points_of_unit_ball(key: Key, num: int, axes: int) -> jax.Array:
    """`num` random points, uniform in the ball of radius 1, [num, axes]."""
    key_direction, key_radius = jax.random.split(key)
    radius = jax.random.uniform(key_radius, (num, 1)) ** (1 / axes)
    return radius * unit_vectors(key_direction, num, axes)


def step_to_goals(
    start: jax.Array,
    goals: jax.Array,
    is_mastered: jax.Array,
    ball: jax.Array,
    predict: Predict,
    threshold: float | jax.Array,
    max_move: float | jax.Array,
) -> jax.Array:
    """Where the particles move to, [num_particles, axes].

    Args:
      start, goals: [num_particles, axes].
      is_mastered: [num_particles] bool; the others look all around, not only towards their goals.
      ball: [num_candidates, axes], points of the unit ball, the same for all particles.
    """
    way = goals - start
    distance = jnp.linalg.norm(way, axis=1, keepdims=True)
    heading = way / jnp.maximum(distance, 1e-12)
    behind = jnp.minimum(dots(heading, ball), 0.0)  # [num_particles, num_candidates]
    mirrored = ball[None] - 2 * behind[..., None] * heading[:, None]
    offsets = jnp.where(is_mastered[:, None, None], mirrored, ball[None])
    radius = jnp.minimum(max_move, distance)[..., None]
    candidates = jnp.clip(start[:, None] + radius * offsets, 0.0, 1.0)
    expected = predict(candidates.reshape(-1, start.shape[1])).reshape(behind.shape)
    away = jnp.sum((candidates - goals[:, None]) ** 2, axis=-1)
    allowed = expected > threshold
    nearest = jnp.argmin(jnp.where(allowed, away, jnp.inf), axis=1)
    chosen = jnp.where(jnp.any(allowed, axis=1), nearest, jnp.argmax(expected, axis=1))
    return candidates[jnp.arange(len(start)), chosen]
