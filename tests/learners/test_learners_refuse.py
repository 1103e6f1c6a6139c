"""What a learner is not made of, and a student that is not for it, are named in one sentence."""

import re

import pytest

from jaxcurriculum import learners
from jaxcurriculum.learners import PpoConfig, SacConfig
from jaxcurriculum.students import off_policy, on_policy
from jaxcurriculum.testing import probes

ENV = probes.target()


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: learners.sac(ENV, None), "sac.config must be of the type SacConfig, got None"),
        (lambda: learners.sac(ENV, PpoConfig()), "sac.config must be of the type SacConfig, got P"),
        (lambda: learners.sac(None, SacConfig()), "sac.env must be of the type Environment, got N"),
        (lambda: learners.ppo(ENV, None, 4), "ppo.config must be of the type PpoConfig, got None"),
        (lambda: learners.ppo("a", PpoConfig(), 4), "ppo.env must be of the type Environment, got"),
        (lambda: learners.ppo(ENV, PpoConfig(), 0), "ppo.num_envs must be a positive integer, got"),
    ],
)
def test_arguments_of_learners_are_checked(make, message):
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        make()


def test_the_other_student_is_named():
    sac, ppo = learners.sac(ENV, SacConfig()), learners.ppo(ENV, PpoConfig(), 4)
    with pytest.raises(ValueError, match="Learner 'sac': on_policy .* give it to `off_policy`"):
        on_policy(ENV, sac)
    with pytest.raises(
        ValueError, match="Learner 'ppo': off_policy .* whole rounds to `on_policy`"
    ):
        off_policy(ENV, ppo)
