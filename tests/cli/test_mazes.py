"""Mazes on the command line: whose they are, which are tested, and one drawn by hand."""

import numpy as np
import pytest

from jaxcurriculum.cli.build import build
from jaxcurriculum.cli.settings import Settings
from jaxcurriculum.runs.errors import RunError

DRAWN = ">..#./.#.#./.#..G"
MAZE = {"env": "maze", "student": "ppo-gru", "teacher": "random"}


def test_a_maze_drawn_by_hand_is_practised_and_tested(untraced, tmp_path):
    path = tmp_path / "drawn.txt"
    path.write_text(DRAWN.replace("/", "\n"))
    for level in (DRAWN, str(path)):
        fields = {"env.level": level, "env.walls": "level"}
        built = build(Settings(**MAZE, test_set="level", fields=fields))
        task = built.loop.student.task_space.sample(None)
        assert np.argwhere(~task.walls).shape == (11, 2) and task.goal.tolist() == [4, 2]
        assert built.loop.test_tasks.goal.tolist() == [[4, 2]]
        assert built.config["env.level"].startswith(">..#.###"), "the maze itself, not its file"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"env.level": ">../.G"}, "line 2 ends after column 2, line 1 after column 3"),
        ({"env.level": ">../.xG"}, "got 'x' in line 2, column 2"),
        ({"env.level": "BINARY"}, r"drawn.txt: a maze must be made of .* in line 1, column 1"),
        ({"env.level": "missing.txt"}, "a file with one, but there is no file missing.txt"),
        ({"env.level": "TXT"}, "a file with one, but .*dir.txt is a folder"),
        ({"env.level": "FOLDER"}, "a file with a maze must end in .txt, got"),
        ({"env.level": "RAGGED"}, "a file with a maze must end in .txt, got .*ragged"),
        ({"env.level": ">#G"}, "a free way must lead from a maze's agent to its goal"),
        ({"env.size": 3}, "of 3 by 3 cells free, got 25. Give it with --env.num-walls."),
        ({"env.walls": "level"}, "must hold a maze"),
        ({"env.level": DRAWN}, r"or tested \(--test-set level\), got neither"),
    ],
)
def test_a_drawing_that_is_no_maze_is_refused(changes, sentence, tmp_path):
    paths = {"BINARY": tmp_path / "drawn.txt", "RAGGED": tmp_path / "ragged", "FOLDER": tmp_path}
    paths["TXT"] = tmp_path / "dir.txt"
    paths["TXT"].mkdir()
    paths["BINARY"].write_bytes(b"\xff\x00")
    paths["RAGGED"].touch()
    changes = {name: str(paths[at]) if at in paths else at for name, at in changes.items()}
    with pytest.raises(RunError, match=sentence):
        build(Settings(**MAZE, fields=changes))


def test_test_sets_of_mazes(untraced):
    built = build(Settings(**MAZE))
    assert built.config["test_set"] == "held-out-8"
    twelve = {"env.levels_per_maze": 2}
    tasks = build(Settings(**MAZE, test_set="held-out-12", fields=twelve)).loop.test_tasks
    assert tasks.walls.shape == (24, 19, 19) and tasks.time_limit.max() == 882
    with pytest.raises(RunError, match="--test-set level: it is the maze of --env.level"):
        build(Settings(**MAZE, test_set="level"))


def test_mazes_of_the_peers(untraced):
    for env, walls, start in (
        ("maze-minimax", "replacement", "level"),
        ("maze-dcd", "dcd-uniform", "random"),
    ):
        config = build(Settings(**(MAZE | {"env": env}))).config
        assert (config["env.num_walls"], config["env.walls"]) == (60, walls)
        assert config["env.start"] == start
