"""Arrays as a page holds them: short, and decoded by a few lines of JavaScript (`data.js`)."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

UNKNOWN = 65535  # stands for nan
LARGEST = UNKNOWN - 1


def packed(values: Any, low: float | None = None, high: float | None = None) -> dict[str, Any]:
    """`values` as 16-bit numbers, evenly from `low` to `high` (by default the least and the largest
    that are finite), in base64.

    >>> packed(np.array([0.0, 1.0, np.nan]))
    {'shape': [3], 'low': 0.0, 'high': 1.0, 'data': 'AAD+////'}
    """
    values = np.asarray(values, np.float64)
    is_known = np.isfinite(values)
    known = values[is_known] if is_known.any() else np.zeros(1)
    low = float(known.min()) if low is None else low
    high = float(known.max()) if high is None else high
    share = (np.where(is_known, values, low) - low) / (high - low or 1.0)
    whole = np.rint(LARGEST * np.clip(share, 0, 1))
    words = np.where(is_known, whole, UNKNOWN).astype("<u2")
    data = base64.b64encode(words.tobytes()).decode()
    return {"shape": list(values.shape), "low": low, "high": high, "data": data}


def evenly(num: int, most: int) -> np.ndarray:
    """At most `most` of `num` places, evenly, the last one among them.

    >>> evenly(10, 4).tolist()
    [0, 3, 6, 9]
    """
    return np.unique(np.linspace(0, num - 1, min(num, most)).round().astype(int))
