"""A world of one's own against the laws that training does not notice when they are broken."""

from __future__ import annotations

from jaxcurriculum import Box, Environment
from jaxcurriculum.testing import laws
from jaxcurriculum.testing.trials import EnvironmentTrial


def broken_law(env: Environment) -> str | None:
    """What the first law says that random episodes of `env` break; None if they keep all."""
    trial = EnvironmentTrial(env)
    kept = [
        laws.keeps_its_contract,
        laws.the_same_level_replays_the_same_episode,
        laws.mapped_equals_single,
        laws.step_never_resets,
    ]
    if isinstance(env.task_space, Box):
        kept.append(laws.no_axis_is_ignored)
    for law in kept:
        try:
            law(trial)
        except AssertionError as error:
            return (str(error) or f"{env.name} breaks the law {law.__name__}").splitlines()[0]
    return None
