"""The polygon of a walker's hull: whether it will do, its mass and its moment of inertia."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np


def check_convex(corners: np.ndarray, hull: Any) -> None:
    """Refuse a hull that is not convex or does not hold its origin.

    All exterior angles have one sign, and add up to one turn (a star's to two); the lidar's
    place, the origin, is outside no edge.
    """
    edges = np.roll(corners, -1, 0) - corners
    following = np.roll(edges, -1, 0)
    along = (edges * following).sum(1)
    angles = np.arctan2(_cross(edges, following), along)
    one_way = (angles > 0).all() or (angles < 0).all()
    if not one_way or abs(angles.sum()) > 3 * np.pi:
        raise ValueError(
            "hull must be a convex polygon with its corners in turn, no three of them in line, got"
            f" {hull}."
        )
    inside = _cross(edges, -corners) * angles.sum()
    if (inside < 0).any():
        raise ValueError(f"hull must hold its origin (0, 0), where the lidar is, got {hull}.")


def counter_clockwise(hull: Any) -> np.ndarray:
    """The corners of a hull, [corners, 2], the same way round for all bodies."""
    corners = np.array(hull)
    twice_area = _cross(corners, np.roll(corners, -1, 0)).sum()
    return corners[::-1] if twice_area < 0 else corners


def polygon_mass(vertices, density: float, xp: ModuleType = np):
    """Mass [kg], centre of mass [2] and moment of inertia about it [kg m^2] of a polygon
    [vertices, 2] (counter-clockwise).
    """
    following = xp.roll(vertices, -1, axis=0)
    cross = _cross(vertices, following)
    area = cross.sum() / 2
    weighted = (vertices + following) * cross[:, None]
    centre = weighted.sum(0) / (6 * area)
    squares = vertices**2 + vertices * following + following**2
    about_origin = (squares.sum(1) * cross).sum() / 12
    about_centre = about_origin - area * (centre**2).sum()
    return density * area, centre, density * about_centre


def _cross(a, b):
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
