"""A task that is asked for by its values or as text, and what is none."""

import numpy as np
import pytest

from jaxcurriculum import envs
from jaxcurriculum.report.asked_task import asked_task, file_stem
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.spaces import Box, Discrete

BOX = Box(names=("height", "gap"), low=(0, 1), high=(3, 6))
MAZES = envs.Mazes(size=4, num_walls=5, time_limit=70)
DRAWN = ">..#./.#.#./.#..G"


def test_values_make_a_task_of_a_box():
    task = asked_task(BOX, (1.5, 2))
    assert task.dtype == np.float32 and task.tolist() == [[1.5, 2.0]]


def test_a_text_or_a_file_makes_a_maze(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text(DRAWN.replace("/", "\n"))
    for text in (DRAWN, str(path)):
        maze = asked_task(MAZES, (text,))
        assert maze.walls.shape == (1, 5, 5) and maze.goal.tolist() == [[4, 2]]
        assert maze.agent.tolist() == [[0, 0]] and maze.time_limit.tolist() == [70]
    names = {file_stem((text,), None, 0) for text in (DRAWN, DRAWN[::-1], str(path))}
    assert len(names) == 3 and "film_mine" in names and all("/" not in name for name in names)


@pytest.mark.parametrize(
    ("space", "task", "sentence"),
    [
        (BOX, (1.0,), "`task` takes one value an axis, height, gap: 2, got 1"),
        (BOX, (1.0, 0.5), "`task`: gap must lie between 1 and 6, got 0.5"),
        (BOX, (1.0, ">.G"), "`task`: gap must be a number, got '>.G'"),
        (Discrete(num=3), (1.0,), "one value an axis of a Box, but these tasks are of Discrete"),
        (MAZES, (1.0, 2.0), "`task` takes one text or .txt file of these Mazes, got 1.0 2.0"),
        (MAZES, (">.", "G."), "`task` takes one text or .txt file of these Mazes, got >. G."),
        (MAZES, (">.",), "`task`: a maze must have one goal"),
        (MAZES, (">#G",), "`task`: a free way must lead from a maze's agent to its goal"),
        (MAZES, ("nowhere.txt",), "`task`: .*nowhere.txt"),
    ],
)
def test_what_is_no_task_is_named(space, task, sentence):
    with pytest.raises(RunError, match=sentence):
        asked_task(space, task)
