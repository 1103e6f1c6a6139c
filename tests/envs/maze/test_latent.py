"""Mazes as points: what is written down is read again, and what is decoded is a maze."""

import dataclasses

import distrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from chex import assert_trees_all_equal

from jaxcurriculum import tree
from jaxcurriculum.envs import Mazes, solvable
from jaxcurriculum.envs.maze.latent import (
    BOUND,
    CellVaeConfig,
    SequenceVaeConfig,
    VaeTrainingConfig,
    cell_vae,
    load_vae,
    save_vae,
    sequence_vae,
    train_vae,
)
from jaxcurriculum.envs.maze.latent.autoencoder import divergence
from jaxcurriculum.envs.maze.latent.tokens import Vocabulary, from_tokens, to_tokens
from jaxcurriculum.envs.maze.layouts import from_text
from jaxcurriculum.testing.compiling import quick_jit

KEY = jax.random.key(0)
END, NUM_TOKENS = Vocabulary(13).end, Vocabulary(13).num
MAZE = from_text("/".join(["#.#......G...", ".....#......."] + ["." * 13] * 10 + ["......<....##"]))
VAES = {
    "cell": cell_vae(CellVaeConfig(latent_dims=3, hidden=(64,))),
    "sequence": sequence_vae(
        SequenceVaeConfig(latent_dims=3, most_walls=6, embedding=16, encoder=16, decoder=32)
    ),
}


def many(sample, num):
    return quick_jit(jax.vmap(sample))(jax.random.split(KEY, num))


def without_direction(maze):
    return maze.walls, maze.goal, maze.agent


def test_a_sequence_is_the_maze():
    mazes = many(Mazes(num_walls=51, walls="uniform").sample, 200)
    tokens = quick_jit(jax.vmap(lambda maze: to_tokens(maze, 50)))(mazes)
    again = quick_jit(jax.vmap(from_tokens))(jax.random.split(KEY, 200), tokens)
    assert_trees_all_equal(without_direction(again), without_direction(mazes))
    walls = np.asarray(tokens)[:, :-3]
    num = np.asarray(mazes.walls).sum((1, 2))
    assert all((np.diff(row[:n]) > 0).all() for row, n in zip(walls, num))
    assert (np.asarray(tokens) == END).sum() == 200


def test_any_sequence_is_a_maze_and_repeated_cells_count_once():
    tokens = jax.random.randint(KEY, (500, 20), 0, NUM_TOKENS)
    tokens = tokens.at[0].set(END).at[1, 1:].set(END)  # no cell at all, and one
    mazes = quick_jit(jax.vmap(from_tokens))(jax.random.split(KEY, 500), tokens)
    assert bool(jnp.all(jax.vmap(Mazes().contains)(mazes)))
    once = quick_jit(from_tokens)(KEY, jnp.array([5, 9, 7, 8, END, 1, 2]))
    twice = quick_jit(from_tokens)(KEY, jnp.array([5, 5, 9, 7, 5, 8, END]))
    assert_trees_all_equal(twice, once)
    assert once.goal.tolist() == [6, 0] and once.agent.tolist() == [7, 0]


def test_the_divergence_is_that_of_two_gaussians():
    mean, log_variance = jnp.array([0.3, -2.0]), jnp.array([0.5, -1.0])
    ours = distrax.MultivariateNormalDiag(mean, jnp.exp(0.5 * log_variance))
    expected = ours.kl_divergence(distrax.MultivariateNormalDiag(jnp.zeros(2), jnp.ones(2)))
    np.testing.assert_allclose(divergence(mean, log_variance), expected, rtol=1e-5)


@pytest.mark.parametrize("name", VAES)
def test_what_is_all_that_it_ever_saw_is_decoded_from_its_own_point(name):
    """Teacher forcing in training, and cell by cell when a maze is decoded."""
    vae = VAES[name]
    config = VaeTrainingConfig(num_steps=150, batch_size=2, learning_rate=0.02)
    parameters, losses = quick_jit(lambda key: train_vae(key, vae, lambda _: MAZE, config))(KEY)
    assert losses["reconstruction"][-1] < 0.1 * losses["reconstruction"][0]
    point = vae.encode(parameters, MAZE)
    decoded = quick_jit(vae.decode)(KEY, parameters, point)
    assert_trees_all_equal(without_direction(decoded), without_direction(MAZE))


@pytest.mark.parametrize("name", VAES)
def test_every_point_of_the_box_is_a_maze_and_every_maze_a_point(name):
    vae = VAES[name]
    parameters = vae.init(KEY)
    space = vae.space()
    assert space.low == (-BOUND,) * 3 and space.high == (BOUND,) * 3
    points = many(space.sample, 50)
    decode = quick_jit(jax.vmap(vae.decode, in_axes=(0, None, 0)))
    mazes = decode(jax.random.split(KEY, 50), parameters, points)
    assert bool(jnp.all(jax.vmap(Mazes().contains)(mazes)))
    encode = quick_jit(jax.vmap(vae.encode, in_axes=(None, 0)))
    assert bool(jnp.all(jax.vmap(space.contains)(encode(parameters, mazes))))


@pytest.mark.parametrize("name", VAES)
def test_a_file_holds_it_in_half_precision(name, tmp_path):
    vae, path = VAES[name], tmp_path / "vae.npz"
    parameters = vae.init(KEY)
    save_vae(path, vae, parameters)
    loaded, weights = load_vae(path)
    assert loaded.config == vae.config and loaded.name == vae.name
    rounded = jax.tree.map(lambda leaf: np.asarray(leaf, np.float16), parameters)
    assert_trees_all_equal(jax.tree.map(lambda leaf: leaf.astype(np.float16), weights), rounded)


def write_with_other_weights(path):
    """A file of `VAES["cell"]` with a hidden layer that is narrower than it says."""
    narrow = cell_vae(CellVaeConfig(latent_dims=3, hidden=(8,)))
    parameters = tree.blank(jax.eval_shape(narrow.init, KEY))
    save_vae(path, dataclasses.replace(narrow, config=VAES["cell"].config), parameters)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: path.write_text("no archive"), r"autoencoder of mazes .* is no \.npz file"),
        (write_with_other_weights, r"vae.npz .*Dense_0.*must have the shape \[64\], got \[8\]"),
        (lambda path: np.savez(path, a=1), "must be an autoencoder of mazes"),
        (lambda path: path.touch(), "must be an autoencoder of mazes"),
        (lambda path: np.savez(path, about="[1]"), "must be an autoencoder of mazes"),
        (lambda path: None, "must be an autoencoder of mazes"),
        (lambda path: path.mkdir(), r"vae.npz must be an autoencoder .* it is a folder\.$"),
    ],
)
def test_other_files_are_refused(write, message, tmp_path):
    path = tmp_path / "vae.npz"
    write(path)
    with pytest.raises(ValueError, match=message):
        load_vae(path)


def test_a_number_is_no_path():
    with pytest.raises(TypeError, match="load_vae.path must be a path or a name, got 3"):
        load_vae(3)


SMALL = {
    "cell": cell_vae(CellVaeConfig(size=6, latent_dims=2, hidden=(4,))),
    "sequence": sequence_vae(
        SequenceVaeConfig(size=6, latent_dims=2, most_walls=5, embedding=4, encoder=4, decoder=4)
    ),
}


@pytest.mark.parametrize("name", SMALL)
def test_mazes_of_another_size_and_another_time_limit(name, tmp_path):
    """The file knows the size, and who decodes the time limit."""
    mazes, vae = Mazes(size=6, num_walls=5, time_limit=77), SMALL[name]
    save_vae(tmp_path / "vae.npz", vae, tree.blank(jax.eval_shape(vae.init, KEY)))
    loaded, weights = load_vae(tmp_path / "vae.npz")
    maze = quick_jit(loaded.decoder(weights, mazes))(KEY, jnp.zeros(2))
    assert maze.walls.shape == (6, 6) and int(maze.time_limit) == 77
    assert bool(mazes.contains(maze))


def test_mazes_of_a_size_that_is_not_its_own_are_refused():
    vae = SMALL["cell"]
    with pytest.raises(ValueError, match="Mazes.size must be .* is for 6 by 6 cells, got 13"):
        vae.decoder(vae.init(KEY), Mazes())
    with pytest.raises(
        ValueError, match="train_vae.sample must make .* 6 by 6 cells, got 13 by 13"
    ):
        train_vae(KEY, vae, Mazes().sample)


def test_the_decoder_of_the_package_remembers_mazes_and_its_points_have_a_way():
    vae, parameters = load_vae("cells-13")
    mazes = Mazes(num_walls=51, walls="uniform")

    def read(key):
        maze, point = mazes.sample(key), vae.space().sample(key)
        decode = vae.decoder(parameters, mazes)
        return maze, decode(key, vae.encode(parameters, maze)), decode(key, point)

    drawn, again, others = many(read, 1000)
    walls = (drawn.walls & again.walls).sum() / drawn.walls.sum()
    goals = jnp.all(drawn.goal == again.goal, axis=-1).mean()
    assert walls > 0.6 and goals > 0.6
    assert 20 < others.walls.sum((1, 2)).mean() < 40
    assert quick_jit(jax.vmap(solvable))(others).mean() > 0.9
