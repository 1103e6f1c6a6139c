"""Mazes drawn by hand: read, written, and refused with the place of the mistake."""

import jax
import numpy as np
import pytest

from jaxcurriculum import envs

DRAWN = """
>..#.
.#.#.
.#..G
"""


def test_a_layout_is_its_text():
    mazes = envs.held_out_mazes(envs.EIGHT)
    for i in range(len(envs.EIGHT)):
        level = jax.tree.map(lambda leaf, i=i: leaf[i], mazes)
        again = envs.from_text(envs.to_text(level), time_limit=450)
        jax.tree.map(np.testing.assert_array_equal, again, level)


def test_a_small_maze_has_walls_on_the_right_and_at_the_bottom():
    maze = envs.from_text(DRAWN, time_limit=99)
    assert maze.walls.sum() == 13 * 13 - 11 and not maze.walls[:3, :3].all()
    assert maze.agent.tolist() == [0, 0] and maze.goal.tolist() == [4, 2] and maze.direction == 0
    assert maze.time_limit == 99


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (">..\n..\n..G", "line 2 ends after column 2, line 1 after column 3"),
        (">../..G.", "line 2 ends after column 4, line 1 after column 3"),
        (">..\n.x.\n..G", "got 'x' in line 2, column 2"),
        (">..", r"one goal \(G\), got 0"),
        ("..G", r"one agent \(> v < \^\), got 0"),
        (">.G\n..v", "one agent .* got 2: line 1, column 1; line 2, column 3"),
        ("GG>", "one goal .* got 2: line 1, column 1; line 1, column 2"),
        ("", "one agent .* got 0"),
        (None, "from_text.text must be of the type str, got None"),
        (">" + "." * 12 + "G", "at most 13 by 13 cells, got 14 by 1"),
    ],
)
def test_a_text_that_is_no_maze_is_refused(text, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        envs.from_text(text)


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ({"size": 40}, "from_text.size must be an integer from 2 to 32, got 40"),
        ({"time_limit": 0}, "from_text.time_limit must be an integer from 1 to 2312, got 0"),
    ],
)
def test_numbers_that_no_maze_has_are_refused(numbers, sentence):
    with pytest.raises(ValueError, match=sentence):
        envs.from_text(DRAWN, **numbers)


def test_a_maze_by_hand_has_a_way_and_an_agent_apart_from_the_goal(tmp_path):
    path = tmp_path / "drawn.txt"
    path.write_text(DRAWN)
    assert envs.to_text(envs.drawn_by_hand(str(path))) == envs.to_text(envs.from_text(DRAWN))
    with pytest.raises(ValueError, match="a free way .* got none from line 1, column 1 to"):
        envs.drawn_by_hand(">#G/##.")
    maze = envs.from_text(DRAWN)
    with pytest.raises(ValueError, match="not stand on the goal, got both at line 3, column 5"):
        envs.check_solvable(maze.replace(agent=maze.goal))
