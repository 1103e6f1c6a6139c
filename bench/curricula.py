"""Episodes a second of ALP-GMM on the toy grid, one core, beside NumPy with scikit-learn."""

from __future__ import annotations

from typing import Any

from bench.measure import peak_megabytes, pin, seconds
from bench.teachers import ROUNDS, episodes_per_second, study

COLUMNS = ("seeds", "episodes/s", "µs/episode", "times scikit-learn", "peak MB", "note")


def measure(quick: bool) -> list[dict[str, Any]]:
    """A row a number of seeds, and one for the reference loop."""
    reference = episodes_per_second("alp-gmm", 1000 if quick else 3000)
    rows = [
        {
            "seeds": 1,
            "episodes/s": reference,
            "µs/episode": 1e6 / reference,
            "note": "NumPy and scikit-learn",
        }
    ]
    for seeds in (1, 256) if quick else (1, 16, 64, 256, 1024):
        rate = seeds * ROUNDS / seconds(study("alp-gmm", seeds)[1], repeats=1 if quick else 2)
        rows.append(
            {
                "seeds": seeds,
                "episodes/s": rate,
                "µs/episode": 1e6 / rate,
                "times scikit-learn": rate / reference,
                "peak MB": peak_megabytes(),
            }
        )
    return rows


if __name__ == "__main__":
    from bench.report import main

    pin(1)
    main(measure)
