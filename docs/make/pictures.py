"""Draw the pictures of teachers and worlds again: `python docs/make/pictures.py [NAME ...]`.

A teacher's picture shows the tasks of one seed on the toy grid of 10 by 10 cells, a world's one
moment of an episode; three more show mazes.
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import pathlib
import shlex
import tempfile

import jax
import jax.numpy as jnp
import matplotlib
import numpy as np
from matplotlib.figure import Figure
from parts import KINDS
from PIL import Image
from rich.console import Console

import jaxcurriculum.envs as envs
from jaxcurriculum import Environment, use_cores
from jaxcurriculum.cli.build import build
from jaxcurriculum.cli.main import parse
from jaxcurriculum.cli.settings import Settings
from jaxcurriculum.cli.tables import ENVIRONMENTS, TEACHERS
from jaxcurriculum.envs.maze.edits import EDITS
from jaxcurriculum.envs.maze.generators import GENERATORS
from jaxcurriculum.records import level_key
from jaxcurriculum.report.curriculum import curriculum
from jaxcurriculum.report.style import STYLE
from jaxcurriculum.runs.host import run_experiment
from jaxcurriculum.runs.store import Run
from jaxcurriculum.viewer import Film, to_host

FOLDER = pathlib.Path(__file__).parents[1] / "pictures"
NUM_COLOURS = 32  # of a picture, which keeps it below 30 KB
PAGES = [path for kind in ("Teachers", "Worlds") for path, _ in KINDS[kind].pages()]
MOMENTS = {"cart-pole": 20, "maze": 0}  # the step that is shown, 40 elsewhere


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "names", nargs="*", default=[*(pathlib.Path(page).stem for page in PAGES), *MAZES]
    )
    names = parser.parse_args().names
    use_cores()
    matplotlib.rcParams.update(STYLE)
    for name in names:
        draw = draw_teacher if name in TEACHERS else draw_world
        print(save(MAZES[name](), "worlds", name) if name in MAZES else draw(name), flush=True)


def draw_teacher(name: str) -> pathlib.Path:
    """The tasks that a teacher gave over one run, in four stretches of time."""
    settings = parse(shlex.split(KINDS["Teachers"].started(name))[1:])
    assert isinstance(settings, Settings)
    with tempfile.TemporaryDirectory() as folder:
        run = Run(pathlib.Path(folder) / name)
        run_experiment(build(dataclasses.replace(settings, seeds=1)), run, Console(quiet=True))
        figure = curriculum(run)
    return save(as_image(figure), "teachers", name)


def as_image(figure: Figure) -> Image.Image:
    figure.suptitle("")  # the page around the picture says what it shows
    figure.axes[-1].set_ylabel("learning progress")  # of the bar of colours
    figure.set_size_inches(10.4, 2.9)
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=100)
    return Image.open(drawn)


def draw_world(name: str) -> pathlib.Path:
    """One moment of an episode of random actions."""
    part = ENVIRONMENTS[name]
    env = part.make(part.config)
    return save(moment(env, MOMENTS.get(name, 40)), "worlds", name)


def moment(env: Environment, num_steps: int) -> Image.Image:
    """What the viewer shows of a random task after `num_steps`."""
    viewer = env.viewer
    assert viewer is not None, "every world of the table has one"
    task = env.task_space.sample(jax.random.key(1))
    level = env.generate(level_key(jnp.uint32(0)), task)
    state, timestep = env.reset(jax.random.key(0), level)
    step, total = jax.jit(env.step), 0.0
    for key in jax.random.split(jax.random.key(2), num_steps):
        state, timestep = step(key, level, state, env.action_space.sample(key))
        total += float(timestep.reward)
    pace = viewer.steps_per_frame * viewer.frames_per_second
    looks = jax.tree.map(lambda leaf: leaf[None], viewer.look(level, state, timestep.obs))
    film = Film(
        level=to_host(level),
        looks=to_host(looks),
        returns=np.array([total]),
        seconds=np.array([num_steps / pace]),
        task={},
        solved=False,
    )
    return viewer.picture(film, 0)


def held_out_mazes() -> Image.Image:
    """Every held-out maze, one draw of each that is made by rule."""
    names = envs.held_out_names()
    each = [envs.held_out_mazes((name,)) for name in names]
    return in_rows([envs.draw_mazes(maze, (name,)) for maze, name in zip(each, names)], 6)


def generated_mazes() -> Image.Image:
    """One maze of each generator, and what the edits of each codebase make of the first."""
    key = jax.random.key(3)
    many = envs.Mazes(num_walls=60)
    drawn = {walls: dataclasses.replace(many, walls=walls) for walls in GENERATORS}
    mazes = {f"60, {walls}": space.sample(key) for walls, space in drawn.items()}
    first = next(iter(mazes.values()))
    for name, edit in EDITS.items():
        mazes[f"20 edits, {name}"] = edit(key, first, 20)
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *mazes.values())
    return envs.draw_mazes(stacked, tuple(mazes), num_columns=4)


def latent_mazes() -> Image.Image:
    """Random mazes, what the decoder of the package remembers of them, and random points."""
    vae, parameters = envs.load_vae("cells-13")
    mazes = envs.Mazes(num_walls=51, walls="uniform")
    keys = jax.random.split(jax.random.key(0), 4)
    drawn = jax.vmap(mazes.sample)(keys)
    points = jax.vmap(lambda maze: vae.encode(parameters, maze))(drawn)
    decode = jax.vmap(vae.decoder(parameters, mazes))
    others = decode(keys, jax.vmap(vae.space().sample)(keys))
    rows = {"a maze": drawn, "remembered": decode(keys, points), "a point": others}
    stacked = jax.tree.map(lambda *leaves: np.concatenate(leaves), *rows.values())
    return envs.draw_mazes(stacked, tuple(np.repeat([*rows], len(keys))), num_columns=len(keys))


def in_rows(images: list[Image.Image], num_columns: int) -> Image.Image:
    """Images of one size beside and below each other."""
    width, height = images[0].size
    size = num_columns * width, -(-len(images) // num_columns) * height
    sheet = Image.new("RGB", size, images[0].getpixel((0, 0)))
    for i, image in enumerate(images):
        sheet.paste(image, (i % num_columns * width, i // num_columns * height))
    return sheet


MAZES = {
    "held-out-mazes": held_out_mazes,
    "generated-mazes": generated_mazes,
    "latent-mazes": latent_mazes,
}


def save(image: Image.Image, kind: str, name: str) -> pathlib.Path:
    path = FOLDER / kind / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    few = image.convert("RGB").quantize(NUM_COLOURS, Image.Quantize.FASTOCTREE)
    few.save(path, optimize=True)
    return path


if __name__ == "__main__":
    main()
