"""Teachers of mazes that choose points of an autoencoder's box."""

from __future__ import annotations

from collections.abc import Callable

import jaxcurriculum.envs as envs
from jaxcurriculum import Space, Teacher, teachers
from jaxcurriculum.runs.errors import RunError


def teacher_of_mazes(
    make: Callable[[Space], Teacher], decoder: str | None, space: Space
) -> Teacher:
    """The teacher `make` (space), or one of the box whose points `decoder` makes mazes of.

    Raises:
      RunError: when the teacher needs a box, and there is no decoder.
      ValueError: when `decoder` is no autoencoder of such mazes.
    """
    if decoder is not None:
        assert isinstance(space, envs.Mazes)  # no challenge makes another space of them
        vae, parameters = envs.load_vae(decoder)
        return teachers.in_latent_space(make, vae.space(), vae.decoder(parameters, space))
    try:
        return make(space)
    except TypeError as error:
        if "must be of the type Box" not in str(error):
            raise
        kind = str(error).partition(".")[0]
        raise RunError(
            f"{kind} teaches points of a box, not mazes: give --env.decoder, which makes a maze of"
            f" every point, as in --env.decoder {next(iter(envs.TRAINED))}."
        ) from None
