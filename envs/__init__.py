"""Environments: families of procedurally generated tasks."""

if __name__ != "jaxcurriculum.envs":
    raise ImportError(
        "Import this package as jaxcurriculum.envs: under its short name every class would exist"
        " twice."
    )

from jaxcurriculum.envs.adapters.brax_env import brax
from jaxcurriculum.envs.adapters.gymnax_env import gymnax
from jaxcurriculum.envs.classic.acrobot import acrobot
from jaxcurriculum.envs.classic.cart_pole import cart_pole
from jaxcurriculum.envs.classic.continuous_mountain_car import continuous_mountain_car
from jaxcurriculum.envs.classic.mountain_car import mountain_car
from jaxcurriculum.envs.classic.pendulum import pendulum
from jaxcurriculum.envs.maze.editor import MazeEditorConfig, maze_editor
from jaxcurriculum.envs.maze.held_out import EIGHT, TWELVE, held_out_mazes, held_out_names
from jaxcurriculum.envs.maze.latent import TRAINED, load_vae
from jaxcurriculum.envs.maze.layouts import check_solvable, drawn_by_hand, from_text, to_text
from jaxcurriculum.envs.maze.levels import Mazes, solvable_mazes
from jaxcurriculum.envs.maze.maze import MazeRules, maze
from jaxcurriculum.envs.maze.paths import (
    optimal_return,
    shortest_actions,
    shortest_moves,
    solvable,
)
from jaxcurriculum.envs.maze.perfect import perfect_maze
from jaxcurriculum.envs.maze.record import Maze
from jaxcurriculum.envs.maze.rooms import crossing, four_rooms
from jaxcurriculum.envs.maze.viewer import draw_mazes
from jaxcurriculum.envs.memory.repeat_previous import repeat_previous
from jaxcurriculum.envs.point_mass.point_mass import point_mass, target_gate
from jaxcurriculum.envs.point_mass.ring_maze import feasible_goal, ring_maze, target_goal
from jaxcurriculum.envs.walker.bodies import BODIES, SIZES, Body
from jaxcurriculum.envs.walker.starts import Start
from jaxcurriculum.envs.walker.tracks.hexagon_tracks import hexagon_tracks
from jaxcurriculum.envs.walker.tracks.rough_tracks import bipedal_walker, obstacle_tracks
from jaxcurriculum.envs.walker.tracks.stump_sequences import stump_sequences
from jaxcurriculum.envs.walker.tracks.stump_tracks import stump_tracks
from jaxcurriculum.envs.walker.tracks.test_sets import (
    hexagon_tasks_2019,
    obstacle_tasks_2022,
    stump_tasks_2019,
    stump_tasks_grid,
    uniform_tasks,
)
from jaxcurriculum.envs.wrappers.trial import attempt_returns, trial
from jaxcurriculum.envs.wrappers.with_previous import with_previous

__all__ = [
    "BODIES",
    "Body",
    "EIGHT",
    "Maze",
    "MazeEditorConfig",
    "MazeRules",
    "Mazes",
    "SIZES",
    "Start",
    "TRAINED",
    "TWELVE",
    "acrobot",
    "attempt_returns",
    "bipedal_walker",
    "brax",
    "cart_pole",
    "check_solvable",
    "continuous_mountain_car",
    "crossing",
    "draw_mazes",
    "drawn_by_hand",
    "feasible_goal",
    "four_rooms",
    "from_text",
    "gymnax",
    "held_out_mazes",
    "held_out_names",
    "hexagon_tasks_2019",
    "hexagon_tracks",
    "load_vae",
    "maze",
    "maze_editor",
    "mountain_car",
    "obstacle_tasks_2022",
    "obstacle_tracks",
    "optimal_return",
    "pendulum",
    "perfect_maze",
    "point_mass",
    "repeat_previous",
    "ring_maze",
    "shortest_actions",
    "shortest_moves",
    "solvable",
    "solvable_mazes",
    "stump_sequences",
    "stump_tasks_2019",
    "stump_tasks_grid",
    "stump_tracks",
    "target_gate",
    "target_goal",
    "to_text",
    "trial",
    "uniform_tasks",
    "with_previous",
]
