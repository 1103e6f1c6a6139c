"""Whole episodes in the engine and in Box2D: length (steps), final x (m), distances, returns.

Apart: the distance of Kolmogorov and Smirnov, and the 99th percentile of Box2D's from itself.
Box2D's 2,000 episodes of a scene are kept in a file of the tests, those of the policies are played
anew.
"""

from __future__ import annotations

from typing import Any

from bench.measure import pin

COLUMNS = ("what", "episodes", "here", "Box2D", "apart", "by chance")


def measure(quick: bool) -> list[dict[str, Any]]:
    """Two rows a scene, of length and of final x, and a row a policy, its mean returns."""
    from references.distributions import SCENES

    scenes = [row for scene in SCENES for row in _scene(scene, 400 if quick else 2000)]
    policies = [("default", False), ("short", False), ("default", True)]
    return scenes + [_policy(body, hardcore, 20 if quick else 100) for body, hardcore in policies]


def _scene(scene: Any, num: int) -> list[dict[str, Any]]:
    from references.distributions import by_chance, distances, engine_episodes, kept_episodes

    rows = []
    both = zip(engine_episodes(scene, num), kept_episodes()[str(scene)])
    for name, (here, box2d) in zip(("length", "final x"), both):
        row = {"what": f"{scene}: {name}", "episodes": num}
        row |= {"here": float(here.mean()), "Box2D": float(box2d.mean())}
        row |= {"apart": distances(box2d, here)[0], "by chance": by_chance(box2d, num)[0]}
        rows.append(row)
    return rows


def _policy(body: str, hardcore: bool, num: int) -> dict[str, Any]:
    from references.transfer import load, returns_here, returns_there

    policy = load(body)
    here = float(returns_here(body, policy, hardcore, num).mean())
    there = float(returns_there(body, policy, hardcore, num).mean())
    where = "BipedalWalkerHardcore-v3" if hardcore else "BipedalWalker-v3"
    return {
        "what": f"return of a policy, {body} body on {where}",
        "episodes": num,
        "here": here,
        "Box2D": there,
    }


if __name__ == "__main__":
    from bench.report import main

    pin(1)
    main(measure)
