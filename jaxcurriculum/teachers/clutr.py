"""CLUTR: PAIRED's regret, and a builder that chooses a whole task at once.

    propose: a policy that sees nothing but noise draws each task in one step, from a beta
             distribution over every axis of the box
                 $task_i = low_i + (high_i - low_i) Beta(1 + softplus(a_i), 1 + softplus(b_i))$
    update:  PPO rewards that step with the task's regret, as PAIRED does its builder's last move
                 $regret = max(0, max R_antagonist - mean R_protagonist)$

The box is meant to be the latent space of an autoencoder that was trained once on random levels and
stays as it is (`in_latent_space`): the builder chooses points, and every point is a level. So it
neither has to learn what levels are nor to build them move by move.

Source: A. Azad, I. Gur, J. Emhoff, N. Alexis, A. Faust, P. Abbeel, I. Stoica, "CLUTR: Curriculum
learning via unsupervised task representation learning", ICML 2023.
"""

from __future__ import annotations

import dataclasses

from jaxcurriculum.configs import field
from jaxcurriculum.editors import EditorConfig
from jaxcurriculum.fields import check_kind, given
from jaxcurriculum.roles import Teacher
from jaxcurriculum.spaces import Box
from jaxcurriculum.teachers.paired import BuilderConfig, PairedConfig, paired
from jaxcurriculum.teachers.parts.point_editor import point_editor

BANDIT = BuilderConfig(memory="none", hidden=(10,), box_policy="beta")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClutrConfig(PairedConfig):
    """The published sizes; PPO learns as PAIRED's builder does."""

    builder: BuilderConfig = field(BANDIT, help="how the builder learns")
    editor: EditorConfig = field(EditorConfig(noise_size=50), help="what the builder sees")


def clutr(task_space: Box, config: ClutrConfig | None = None) -> Teacher:
    """A teacher of whole tasks at once, for a `population` of students.

    Every student must meet every task, see `paired`.

    Differs from the paper: regret goes by each student's first two episodes on a task in a round,
    see `paired`. The features of the noise pass a tanh. The box is used as a whole; in the
    published code the builder's numbers between 0 and 1 are decoded as they are, which reaches a
    corner of the box alone.

    Raises:
      TypeError: when `task_space` is no Box.
      ValueError: from `propose`, when a round has fewer proposals than tasks are built.

    >>> box = Box(names=("height", "spacing"), low=(0.0, 0.0), high=(3.0, 6.0))
    >>> teacher = clutr(box)
    >>> teacher.name, teacher.num_learners
    ('clutr', 2)
    """
    check_kind("clutr.task_space", task_space, Box)
    config = given(config, ClutrConfig)
    teacher = paired(point_editor(task_space, config.editor), config)
    return dataclasses.replace(teacher, name=teacher.name.replace("paired", "clutr"))
