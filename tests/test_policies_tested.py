"""Tables and pictures of policies that were tested after training, from made-up results."""

import jax.numpy as jnp
import maze_methods
import numpy as np
import obstacle_tracks
import pytest
from matplotlib.figure import Figure
from policies_tested import collect, draw_scores, total_steps

from jaxcurriculum.report.statistics import interquartile_mean
from jaxcurriculum.runs import Run

NUM_SEEDS, NUM_EVALUATIONS = 5, 6


def made_up(tests):
    steps = [1_000_000 * (i + 1) for i in range(NUM_EVALUATIONS)]
    return {
        "steps": steps,
        "mastered": [[10.0 * i] * NUM_SEEDS for i in range(NUM_EVALUATIONS)],
        "probe_steps": [[500_000 * (i + 1)] * NUM_SEEDS for i in range(NUM_EVALUATIONS)],
        "seconds": 60,
        "tests": tests,
    }


def mazes(share):
    """Seeds that solve `share` % of each maze, of a seed one more than of the one before."""
    names = {name for each in maze_methods.TESTS.values() for name in each}
    names |= set(maze_methods.COLUMNS[2:])
    return made_up([dict.fromkeys(names, share + seed) for seed in range(NUM_SEEDS)])


def test_the_worst_mazes_are_chosen_by_other_attempts():
    ranking = jnp.array([0.0] * 10 + [1.0] * 990)
    scoring = jnp.array([20.0] * 10 + [50.0] * 90 + [0.0] * 900)
    worst = maze_methods.worst(ranking, scoring)
    assert worst["worst 1 %"] == 20 and worst["worst 10 %"] == 47


def test_table_and_picture_of_mazes():
    results = {"random": mazes(20.0), "accel": mazes(60.0), "paired": mazes(40.0)}
    rows = maze_methods.table(results).splitlines()
    assert rows[2].startswith("| random (DR) | 22.0 (21 to 24) | 22.0")
    assert rows[-2] == "| ACCEL | 60, 61, 62, 63, 64 | 0.0079 | 83 | 6.0 | 3.0 | 1 |"
    replay, building, tests = maze_methods.figure(results).axes
    for ax, other in ((replay, "ACCEL"), (building, "PAIRED")):
        assert [line.get_label() for line in ax.lines] == ["random (DR)", other]
    assert len(tests.patches) == 3 * len(maze_methods.COLUMNS)


@pytest.mark.parametrize(("middle", "height"), [(np.mean, 22.0), (interquartile_mean, 10.0)])
def test_bars_are_as_high_as_the_middle_of_the_seeds(middle, height):
    ax = Figure().subplots()
    seeds = np.array([[0.0], [0.0], [10.0], [20.0], [80.0]])
    draw_scores(ax, {"random": seeds}, maze_methods.METHODS, {}, middle)
    assert [bar.get_height() for bar in ax.patches] == [height]


def test_equal_steps_count_those_of_probes():
    tests = [{"return": [0.0] * 6, "solved": [50.0] * 6} for _ in range(NUM_SEEDS)]
    row = made_up(tests)
    assert total_steps(row)[-1] == 9_000_000
    # 4 evaluations of 1.5 million steps each are 6 million: 0, 10, 20 and 30 %
    assert np.all(obstacle_tracks.at_equal_steps(row) == 15)
    assert obstacle_tracks.table({"random": row}).count("| 50.0 ± 0.0 ") == 7


def test_nothing_finished(tmp_path):
    with pytest.raises(SystemExit, match="No run has finished"):
        collect({"random": Run(tmp_path / "none")}, tmp_path / "all.json", lambda student: None)
