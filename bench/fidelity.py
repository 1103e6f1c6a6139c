"""Joint angles in the engine against Box2D from the same states under the same actions.

Beside them stands Box2D's own change with more iterations. Errors are the largest of a joint's
angle, rad: median (90th percentile) over the states of a kind.
"""

from __future__ import annotations

from typing import Any

from bench.measure import pin

STEPS = (1, 5, 20)
COLUMNS = (
    "body",
    "kind",
    "ground",
    "states",
    *[f"{who} {step}" for step in STEPS for who in ("ours", "Box2D")],
    "times Box2D",
)


def measure(quick: bool) -> list[dict[str, Any]]:
    """A row a body and kind of state; "Box2D": its own difference at 500 and 300 iterations."""
    from references.same_state import KINDS

    num = 40 if quick else 100
    places = [(kind, None) for kind in KINDS] + [("one foot", "pieces"), ("two feet", "pieces")]
    bodies = ("default",) if quick else ("default", "short", "long", "quadruped")
    return [_row(body, kind, ground, num) for body in bodies for kind, ground in places]


def _row(body: str, kind: str, ground: str | None, num: int) -> dict[str, Any]:
    from references.same_state import engine_angles, errors, make_cases, quantiles

    cases = make_cases(kind, num, body, ground)
    ours = quantiles(errors(engine_angles(cases, body), cases.box2d), STEPS)
    box2d = quantiles(errors(cases.finer, cases.box2d), STEPS)
    cells = {
        f"{who} {step}": _cell(*rows[step])
        for step in STEPS
        for who, rows in (("ours", ours), ("Box2D", box2d))
    }
    ratio = ours[STEPS[-1]][0] / max(box2d[STEPS[-1]][0], 1e-4)
    return {
        "body": body,
        "kind": kind,
        "ground": ground or "",
        "states": num,
        **cells,
        "times Box2D": ratio if kind != "flight" else None,
    }


def _cell(median: float, high: float) -> str:
    return f"{median:.4f} ({high:.3f})"


if __name__ == "__main__":
    from bench.report import main

    pin(1)
    main(measure)
