"""Teachers of a box who teach mazes: they choose points, of which a decoder makes mazes."""

from __future__ import annotations

from collections.abc import Callable

import jaxcurriculum.envs as envs
from jaxcurriculum import Space, Teacher, teachers
from jaxcurriculum.cli.tables.building import check_drawn
from jaxcurriculum.runs.errors import RunError


def teacher_of_points(make: Callable[[Space], Teacher], decoder: str, mazes: envs.Mazes) -> Teacher:
    """The teacher `make` (box), of the mazes that `decoder` makes of its points.

    Raises:
      RunError: when `decoder` is no autoencoder of such mazes.
      ValueError: when the maze of `level` should be practised.
    """
    check_drawn(mazes, "a decoder")
    try:
        vae, parameters = envs.load_vae(decoder)
        decode = vae.decoder(parameters, mazes)
    except ValueError as error:
        raise RunError(f"--env.decoder {decoder}: {error}") from None
    return teachers.in_latent_space(make, vae.space(), decode)
