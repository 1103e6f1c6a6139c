"""The study of Skill-It: is its graph found, and what is it worth?

    python experiments/skill_it_study.py [--seeds 10] [--folder skill_it_study]

Writes skill_it_study.json, skill_it_study.png and skill_it_study.md. What stands in the file is not
run again.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import matplotlib
import numpy as np
from matplotlib.figure import Figure
from parity_world import FIRST, NUM_SKILLS, TASKS, parity_student

from jaxcurriculum import LoopConfig, Student, Teacher, make_loop, teachers, use_cores
from jaxcurriculum.report.statistics import bootstrap_interval, permutation_p_value
from jaxcurriculum.report.style import BLUE, ORANGE, STYLE
from jaxcurriculum.students import simulated
from jaxcurriculum.teachers.parts.arms import Arms, listed, propose_arms

SKEWED = np.array([1, 1, 1, 3, 5]) / 11  # the paper's random sampling of LEGO's five skills
GRAPH_NETWORKS = 4  # that practise for the graph
GRAPH_BATCHES = 2000  # each skill and each pair, by each network
GRAPH_TESTS = 500
MARGIN = 0.02  # above the noise of the mean of so many tests
NUM_EVALUATIONS, BATCHES_PER_EVALUATION = 40, 200
EARLY = 3000  # batches, when uniform practice knows three of the five skills
LEARNED = 0.9  # probability of the right answer
CHAIN = np.eye(NUM_SKILLS) + 0.5 * np.eye(NUM_SKILLS, k=1)  # each skill helps the next one
CHAINS = tuple((skill - 1,) if skill % 5 else () for skill in range(15))
EPISODES = (25, 50, 100, 200)  # of each skill and each pair of the chains
UNAIDED = (0.0, 0.2)
SAMPLINGS = {
    "skewed": {"color": "0.55", "linestyle": "--"},
    "uniform": {"color": "0.55"},
    "no graph": {"color": ORANGE},
    "reversed graph": {"color": "#CC79A7"},
    "chain": {"color": "#009E73"},
    "estimated graph": {"color": BLUE},
}


def fixed(arms: Arms, probabilities: np.ndarray) -> Teacher:
    """A teacher that draws arms from `probabilities`, whatever happens."""

    def propose(key, state, num):
        return state, propose_arms(key, arms, jnp.asarray(probabilities, jnp.float32), num)

    return Teacher(
        name="fixed",
        init=lambda key: (),
        propose=propose,
        update=lambda key, state, episodes, context: (state, jnp.int32(0)),
        report=lambda state: {},
    )


def skill_it(student: Student, arms: Arms, graph: np.ndarray) -> Teacher:
    """Skill-It as published for LEGO, whose losses are taken every 500 batches."""
    told = teachers.SkillItConfig(
        round_episodes=500 * student.num_proposals, return_range=student.return_range
    )
    return teachers.skill_it(arms, told, graph)


def parity_graph(key: jax.Array) -> list[list[float]]:
    """The graph of the parities, mean over those of fresh networks."""
    student = parity_student()

    def estimate(key: jax.Array) -> jax.Array:
        key_init, key_graph = jax.random.split(key)
        how = {"num_rounds": GRAPH_BATCHES, "num_tests": GRAPH_TESTS, "margin": MARGIN}
        state = student.init(key_init)
        return teachers.estimate_graph(key_graph, student, state, listed(TASKS), **how)

    graphs = jax.jit(jax.vmap(estimate))(jax.random.split(key, GRAPH_NETWORKS))
    return np.asarray(graphs.mean(0)).tolist()


def teacher_of(name: str, student: Student, graph: np.ndarray) -> Teacher:
    """How skills are sampled; `graph` is the estimated one."""
    arms = listed(TASKS)
    make = {
        "skewed": lambda: fixed(arms, SKEWED),
        "uniform": lambda: fixed(arms, np.full(NUM_SKILLS, 1 / NUM_SKILLS)),
        "no graph": lambda: skill_it(student, arms, np.eye(NUM_SKILLS)),
        "reversed graph": lambda: skill_it(student, arms, graph.T),
        "chain": lambda: skill_it(student, arms, CHAIN),
        "estimated graph": lambda: skill_it(student, arms, graph),
    }
    return make[name]()


def curves(name: str, graph: np.ndarray, num_seeds: int) -> list[list[list[float]]]:
    """Mean probability of the right answer, [seeds, evaluations, skills]."""
    student = parity_student()
    how = LoopConfig(rounds_per_evaluation=BATCHES_PER_EVALUATION, num_test_episodes=200)
    loop = make_loop(teacher_of(name, student, graph), student, TASKS, how)

    def one_seed(key: jax.Array) -> jax.Array:
        _, report = loop.run(loop.init(key), jnp.int32(0), NUM_EVALUATIONS)
        returns = report.evaluation.returns
        return jnp.mean(returns.reshape(NUM_EVALUATIONS, NUM_SKILLS, -1), axis=2)

    keys = jax.random.split(jax.random.key(0), num_seeds)
    return np.asarray(jax.jit(jax.vmap(one_seed))(keys)).round(3).tolist()


def found_edges(unaided: float, num_episodes: int, num_seeds: int) -> dict[str, float]:
    """Of the 12 prerequisites in three chains of five skills, how many an estimate finds; and how
    many edges it adds; means over seeds.
    """
    config = simulated.SkillGraphConfig(num_skills=15, prerequisites=CHAINS, unaided=unaided)
    student = simulated.skill_graph(config)
    arms = listed(simulated.skill_graph_test_tasks(config))
    true = np.array([[row in CHAINS[column] for column in range(15)] for row in range(15)])

    def estimate(key: jax.Array) -> jax.Array:
        return teachers.estimate_graph(key, student, student.init(key), arms, num_episodes, 1)

    keys = jax.random.split(jax.random.key(0), num_seeds)
    edges = (np.asarray(jax.jit(jax.vmap(estimate))(keys)) > 0) & ~np.eye(15, dtype=bool)
    counts = {"found": (edges & true).sum((1, 2)), "added": (edges & ~true).sum((1, 2))}
    return {name: float(each.mean()) for name, each in counts.items()}


def batches_to_learn(scores: np.ndarray) -> np.ndarray:
    """Batches after which every skill is learned, [seeds]; inf: not within the run."""
    learned = (scores > LEARNED).all(axis=2)
    first = BATCHES_PER_EVALUATION * (np.argmax(learned, axis=1) + 1.0)
    return np.where(np.any(learned, axis=-1), first, np.inf)


def run(folder: pathlib.Path, num_seeds: int) -> dict[str, Any]:
    """Run what is not in the folder's file yet, and write the file after each part."""
    path = folder / "skill_it_study.json"
    results = json.loads(path.read_text()) if path.exists() else {"seconds": {}}

    def keep(name: str, make: Callable[..., Any], *told: Any) -> None:
        if name in results:
            return
        start = time.perf_counter()
        results[name] = make(*told)
        results["seconds"][name] = round(time.perf_counter() - start, 1)
        print(f"{name}: {results['seconds'][name]} s", flush=True)
        new = path.with_suffix(".new")
        new.write_text(json.dumps(results) + "\n")
        new.replace(path)

    for unaided in UNAIDED:
        for num in EPISODES:
            keep(f"chains {unaided} {num}", found_edges, unaided, num, num_seeds)
    keep("graph", parity_graph, jax.random.key(1))
    for name in SAMPLINGS:
        keep(name, curves, name, np.array(results["graph"]), num_seeds)
    return results


def table(results: dict[str, Any]) -> str:
    """What each sampling comes to, then what was found of the chains, as Markdown."""
    lines = [
        f"| sampling | right answers, mean over training, % | 95 % interval | after {EARLY:,}"
        " batches, % | all skills learned after, batches, median | p against uniform | p against"
        " no graph |",
        "|---|---|---|---|---|---|---|",
    ]
    means = {name: np.array(results[name]).mean((1, 2)) for name in SAMPLINGS}
    for name, mean in means.items():
        scores = np.array(results[name])
        low, high = bootstrap_interval(mean)
        early = scores[:, EARLY // BATCHES_PER_EVALUATION - 1].mean()
        texts = [f"{100 * low:.1f} to {100 * high:.1f}", f"{100 * early:.1f}"]
        texts.append(f"{np.median(batches_to_learn(scores)):,.0f}")
        for other in ("uniform", "no graph"):
            p_value = float(permutation_p_value(mean, means[other]))
            texts.append("" if name == other else f"{p_value:.2g}")
        lines.append(f"| {name} | {100 * mean.mean():.1f} | {' | '.join(texts)} |")
    lines += [
        "",
        "| unaided | " + " | ".join(f"{num} episodes" for num in EPISODES) + " |",
        "|---|" + "---|" * len(EPISODES),
    ]
    for unaided in UNAIDED:
        each = [results[f"chains {unaided} {num}"] for num in EPISODES]
        texts = [f"{one['found']:.1f} found, {one['added']:.1f} added" for one in each]
        lines.append(f"| {unaided} | " + " | ".join(texts) + " |")
    return "\n".join(lines) + "\n"


def figure(results: dict[str, Any]) -> Figure:
    """The estimated graph, the mean over all skills, and the last skill."""
    drawn = Figure(figsize=(11.5, 3.6), layout="constrained")
    left, middle, right = drawn.subplots(1, 3, width_ratios=(0.8, 1.2, 1.2))
    names = [f"{FIRST + skill}" for skill in range(NUM_SKILLS)]
    left.imshow(np.array(results["graph"]), cmap="Blues", vmin=0, vmax=1)
    left.set(xlabel="helps the parity of ... bits", ylabel="practising that of ... bits")
    left.set(xticks=range(NUM_SKILLS), xticklabels=names)
    left.set(yticks=range(NUM_SKILLS), yticklabels=names, title="estimated graph")
    batches = BATCHES_PER_EVALUATION * np.arange(1, NUM_EVALUATIONS + 1)
    for name, style in SAMPLINGS.items():
        scores = 100 * np.array(results[name])
        for ax, each in ((middle, scores.mean(2)), (right, scores[..., -1])):
            low, high = bootstrap_interval(each.T)
            ax.plot(batches, each.mean(0), linewidth=2, label=name, **style)
            ax.fill_between(batches, low, high, color=style["color"], alpha=0.15, linewidth=0)
    middle.set(title="mean of all five skills", ylabel="right answers (%)", xlabel="batches")
    right.set(title=f"the last one, parity of {names[-1]} bits", xlabel="batches")
    right.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return drawn


def main() -> None:
    """Run the study, then draw and write what it found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10, help="of every sampling, 2 at least")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("skill_it_study"))
    options = parser.parse_args()
    if options.seeds < 2:
        parser.error(f"--seeds must be at least 2, to have a spread, got {options.seeds}.")
    use_cores(1)
    options.folder.mkdir(parents=True, exist_ok=True)
    results = run(options.folder, options.seeds)
    (options.folder / "skill_it_study.md").write_text(table(results))
    with matplotlib.rc_context(STYLE):
        figure(results).savefig(options.folder / "skill_it_study.png", dpi=110)


if __name__ == "__main__":
    main()
