"""Pictures of mazes: every cell has its colour where it should be."""

import jax
import numpy as np
import pytest
from PIL import ImageColor

from jaxcurriculum import envs
from jaxcurriculum.envs.maze import viewer
from jaxcurriculum.viewer import Film

DRAWN = envs.from_text(">..#/.#.#/.#.G/....", size=4)


def check_cells(image, left, top, side, maze, but):
    """The middle of every cell has its colour, `but` for places where something else stands."""
    size = len(maze.walls)
    middle = (np.arange(size) + 0.5) * side / size
    shown = np.asarray(image)[(top + middle).astype(int)][:, (left + middle).astype(int)]
    cells = np.where(maze.walls[..., None], ImageColor.getrgb(viewer.WALL), (255, 255, 255))
    x, y = maze.goal
    cells[y, x] = ImageColor.getrgb(viewer.GOAL)
    for x, y in but:
        assert shown[y, x].tolist() != cells[y, x].tolist()
        shown[y, x] = cells[y, x]
    np.testing.assert_array_equal(shown, cells)


@pytest.mark.parametrize("size", [4, 13, 19])
def test_a_wall_of_mazes_shows_each_in_its_place(size):
    other = envs.from_text("G" + "." * (size - 2) + "<", size=size)
    mazes = jax.tree.map(lambda *leaves: np.stack(leaves), envs.from_text("G>", size=size), other)
    image = envs.draw_mazes(mazes, ("first", "second"))
    assert [pixels % 16 for pixels in image.size] == [0, 0]
    for i, maze in enumerate((envs.from_text("G>", size=size), other)):
        left = viewer.EDGE + i * (viewer.SMALL_SIDE + viewer.EDGE)
        check_cells(image, left, viewer.SMALL_TOP, viewer.SMALL_SIDE, maze, [maze.agent])


@pytest.mark.parametrize(
    ("mazes", "num_columns", "message"),
    [
        (DRAWN, 6, r"draw_mazes.mazes must be one or more mazes, .* got walls \[4, 4\]"),
        (jax.tree.map(lambda leaf: leaf[None][:0], DRAWN), 6, r"got walls \[0, 4, 4\]"),
        (jax.tree.map(lambda leaf: leaf[None], DRAWN), 0, "must be a positive integer, got 0"),
        (jax.tree.map(lambda leaf: leaf[None], DRAWN), -1, "num_columns must .*, got -1"),
    ],
)
def test_what_is_no_wall_of_mazes_is_refused(mazes, num_columns, message):
    with pytest.raises(ValueError, match=message):
        envs.draw_mazes(mazes, num_columns=num_columns)


def test_a_caption_says_that_there_is_no_way():
    assert [viewer._said(value) for value in ("12", "-1")] == ["12", "no way"]


@pytest.mark.parametrize("size", [4, 9])
def test_a_frame_shows_the_way_so_far(size):
    looks = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [2, 0, 1]])
    film = Film(
        level=envs.from_text(">..#/.#.#/.#.G/....", size=size),  # filled up with walls
        looks=looks,
        returns=np.zeros(4),
        seconds=np.arange(4) / 10,
        task={name: "3" for name in ("walls", "path length", "actions", "time limit")},
        solved=False,
    )
    image = viewer.MazeViewer().picture(film, 2)
    way = [(0, 0), (1, 0), (2, 0)]
    check_cells(image, viewer.EDGE, viewer.TOP, viewer.SIDE, DRAWN, way)
    cell = viewer.SIDE / 4
    on_the_way = viewer.EDGE + round(1.5 * cell), viewer.TOP + round(0.5 * cell)
    assert image.getpixel(on_the_way) == ImageColor.getrgb(viewer.WAY)
    at_the_agent = viewer.EDGE + round(2.5 * cell), viewer.TOP + round(0.5 * cell)
    assert image.getpixel(at_the_agent) == ImageColor.getrgb(viewer.AGENT)
    assert [pixels % 16 for pixels in image.size] == [0, 0]
