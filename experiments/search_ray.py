"""Ray Tune with ASHA over ALP-GMM's settings, where a trial is a batch of seeds side by side.

    python experiments/search_ray.py [--settings 27] [--seeds 8] [--cpus 2]

Needs the extra `ray`. A trial reports its mean score after each unit, and the scheduler stops those
that are not among the best third of what has come as far. Settings are arguments of the compiled
program, not constants in it, so that a trial finds it compiled by those that ended before.
"""

from __future__ import annotations

import argparse
import pathlib
import tempfile
from typing import Any

import jax
import jax.numpy as jnp
import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from search_study import SPACE, UNITS, build, score


def trial(settings: dict[str, Any]) -> None:
    """One setting, `num_seeds` curricula of it; reports their mean score after each unit."""
    jax.config.update("jax_compilation_cache_dir", settings["programs"])
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    values = {name: jnp.float32(settings[name]) for name in SPACE.names}

    @jax.jit
    def init(keys: jax.Array, values: dict[str, jax.Array]) -> Any:
        return jax.vmap(build(values).init)(keys)

    @jax.jit
    def advance(states: Any, values: dict[str, jax.Array], unit: jax.Array) -> Any:
        loop = build(values)
        start = unit * loop.config.rounds_per_evaluation
        states, reports = jax.vmap(loop.advance, in_axes=(0, None))(states, start)
        return states, jnp.mean(jax.vmap(score)(reports))

    states = init(jax.random.split(jax.random.key(settings["seed"]), settings["seeds"]), values)
    for unit in range(UNITS):
        states, mean = advance(states, values, jnp.int32(unit))
        tune.report({"score": float(mean)})


def search(num_settings: int, num_seeds: int, folder: pathlib.Path) -> tune.ResultGrid:
    """What Ray says of all trials, after ASHA over `num_settings` drawn from `SPACE`."""
    drawn = {
        name: tune.loguniform(low, high)
        for name, low, high in zip(SPACE.names, SPACE.low, SPACE.high)
    }
    told = {"seed": tune.randint(0, 2**31 - 1), "seeds": num_seeds}
    tuner = tune.Tuner(
        tune.with_resources(trial, {"cpu": 1}),
        param_space=drawn | told | {"programs": str(folder / "programs")},
        tune_config=tune.TuneConfig(
            metric="score",
            mode="max",
            num_samples=num_settings,
            scheduler=ASHAScheduler(max_t=UNITS, grace_period=1, reduction_factor=3),
        ),
        run_config=tune.RunConfig(storage_path=str(folder.absolute()), name="asha", verbose=0),
    )
    return tuner.fit()


def main() -> None:
    """Search, and print what was found and what it took."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--settings", type=int, default=27, help="drawn at random")
    parser.add_argument("--seeds", type=int, default=8, help="curricula of each")
    parser.add_argument("--cpus", type=int, default=2, help="trials at a time")
    options = parser.parse_args()
    ray.init(num_cpus=options.cpus, include_dashboard=False)
    with tempfile.TemporaryDirectory() as folder:
        results: Any = search(options.settings, options.seeds, pathlib.Path(folder))
    best = results.get_best_result()
    units = sum(len(each.metrics_dataframe) for each in results)
    chosen = {name: round(best.config[name], 3) for name in SPACE.names}
    found = f"{best.metrics['score']:.1f} by {chosen}"
    print(f"{units} units instead of {options.settings * UNITS}: {found}")


if __name__ == "__main__":
    main()
