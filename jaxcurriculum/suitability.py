"""Whether a teacher and a student suit each other: what one needs, and the other has."""

from __future__ import annotations

from jaxcurriculum.records import Episodes
from jaxcurriculum.roles import Student, Teacher


def check_learners(teacher: Teacher, student: Student) -> None:
    """Check that a teacher who compares learners gets them, on the levels that it needs.

    Raises:
      ValueError: when the student is no such population, or leaves out levels.
    """
    wanted, given = (teacher.num_learners, teacher.share), (student.num_learners, student.share)
    if teacher.num_learners > 1 and wanted != given:
        others = "" if teacher.share else ", share=False"
        raise ValueError(
            f"Teacher {teacher.name!r} compares learners: its student must be population(student,"
            f" {teacher.num_learners}{others}), got {student.name!r}."
        )
    if teacher.needs_every_level and not student.meets_every_level:
        raise ValueError(
            f"Teacher {teacher.name!r} judges a level by how students do on it in that round, but"
            f" {student.name!r} does not begin every level in its round: give it a RolloutConfig"
            ' with assign="slot" and carry=False.'
        )


def check_needs(teacher: Teacher, student: Student, episodes: Episodes) -> None:
    """Check that a teacher finds what it needs in what a student's round of `episodes` holds.

    Raises:
      ValueError: when a score or an optimal return is missing, or a round is too large.
    """
    if teacher.needs_critic and episodes.critic is None:
        raise ValueError(
            f"Teacher {teacher.name!r} needs a critic's scores of episodes, which {student.name!r}"
            " has not: choose a score of returns alone, or a student with a critic."
        )
    if teacher.needs_optimal_return and student.optimal_return is None:
        raise ValueError(
            f"Teacher {teacher.name!r} needs the optimal return of a task, which the world of"
            f" {student.name!r} does not know: choose another score, or a world that does."
        )
    if student.num_proposals > teacher.most_proposals:
        raise ValueError(
            f"Teacher {teacher.name!r} has room for {teacher.most_proposals} proposals, fewer than"
            f" the {student.num_proposals} of a round of {student.name!r}: give it a larger"
            " capacity (PlrConfig.capacity), or the student a smaller pool."
        )
