"""Mazes as points of a box: autoencoders of levels, for teachers that need axes (CLUTR)."""

from jaxcurriculum.envs.maze.latent.autoencoder import BOUND, LevelVae
from jaxcurriculum.envs.maze.latent.cell_vae import CellVaeConfig, cell_vae
from jaxcurriculum.envs.maze.latent.files import TRAINED, load_vae, save_vae
from jaxcurriculum.envs.maze.latent.sequence_vae import SequenceVaeConfig, sequence_vae
from jaxcurriculum.envs.maze.latent.training import VaeTrainingConfig, train_vae

__all__ = [
    "BOUND",
    "CellVaeConfig",
    "LevelVae",
    "SequenceVaeConfig",
    "TRAINED",
    "VaeTrainingConfig",
    "cell_vae",
    "load_vae",
    "save_vae",
    "sequence_vae",
    "train_vae",
]
