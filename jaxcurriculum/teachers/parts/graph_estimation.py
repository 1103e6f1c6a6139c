"""Skill-It's estimate of which skill helps which, from practice of single skills and of pairs.

    $graph[i, j] = weight$ where $R_j(i and j) > R_j(j) + margin$, $graph[i, i] = 1$

$R_j(j)$: mean return on skill $j$ after practising it alone; $R_j(i and j)$: after as many rounds
that were shared with skill $i$.

Source: M. Chen, N. Roberts, K. Bhatia, J. Wang, C. Zhang, F. Sala, C. Re, "Skill-it! A data-driven
skills framework for understanding and training language models", NeurIPS 2023, arXiv 2307.14430.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.fields import check_kind, is_integer, is_number
from jaxcurriculum.records import Key, PyTree, random_seeds
from jaxcurriculum.roles import Student
from jaxcurriculum.teachers.parts.arms import Arms, propose_arms

MOST_SKILLS = 100  # 5,050 students then learn side by side


def estimate_graph(
    key: Key,
    student: Student,
    state: PyTree,
    arms: Arms,
    num_rounds: int,
    num_tests: int = 10,
    weight: float = 0.5,
    margin: float = 0.0,
) -> jax.Array:
    """The graph for `skill_it`, [arms, arms], estimated on a student that is in `state`.

    A copy of the student practises each skill alone, another each pair, all side by side and with
    the same random numbers. An edge says that half of the practice is better spent on the other
    skill. So it finds no skill that helps only together with a third one, and none that the
    student cannot learn yet.

    It costs $k (k + 1) / 2$ times `num_rounds` rounds of practice for $k$ arms, and `num_tests`
    test episodes a skill after each.

    Args:
      num_rounds: of practice, for each skill and each pair.
      num_tests: tasks of each skill that are played once after practice.
      weight: of an edge between two skills; 0.5 as in the released code.
      margin: by how much sharing must be better, in units of the return; above the noise of the
          mean of `num_tests` returns.

    Raises:
      TypeError: when `student` or `arms` are something else.
      ValueError: when there are more than 100 arms, `num_rounds` or `num_tests` are no positive
          integers, or `weight` or `margin` is negative or not finite.

    >>> from jaxcurriculum.students import simulated
    >>> from jaxcurriculum.teachers.parts.arms import cells
    >>> chain = simulated.SkillGraphConfig(num_skills=3, unaided=0.3)
    >>> student = simulated.skill_graph(chain)
    >>> arms, state = cells(student.task_space, 3), student.init(jax.random.key(0))
    >>> estimate_graph(jax.random.key(1), student, state, arms, num_rounds=200).tolist()
    [[1.0, 0.5, 0.0], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]]
    """
    _check(student, arms, num_rounds, num_tests, weight, margin)
    key_tasks, key_seeds, key_rounds, key_tests = jax.random.split(key, 4)
    tested = jnp.repeat(jnp.arange(arms.num), num_tests)
    tasks = jax.vmap(arms.sample)(jax.random.split(key_tasks, tested.size), tested)
    seeds = random_seeds(key_seeds, tested.size)
    first, second = np.triu_indices(arms.num)  # a skill alone is a pair with itself

    def returns_after(pair: jax.Array) -> jax.Array:
        share = jnp.mean(jax.nn.one_hot(pair, arms.num), axis=0)

        def practise(state: PyTree, number: jax.Array) -> tuple[PyTree, None]:
            key_propose, key_train = jax.random.split(jax.random.fold_in(key_rounds, number))
            proposals = propose_arms(key_propose, arms, share, student.num_proposals)
            return student.train(key_train, state, proposals, number)[0], None

        trained, _ = jax.lax.scan(practise, state, jnp.arange(num_rounds, dtype=jnp.int32))
        tests = student.evaluate(key_tests, trained, tasks, seeds, 1, True)
        return jnp.mean(tests.returns.reshape(arms.num, num_tests), axis=1)

    after = jax.vmap(returns_after)(jnp.stack([first, second], axis=1))  # [pairs, arms]
    pairs = np.arange(len(first))
    learned = jnp.zeros((arms.num, arms.num))
    learned = learned.at[first, second].set(after[pairs, second])
    learned = learned.at[second, first].set(after[pairs, first])
    helps = learned > jnp.diagonal(learned)[None, :] + margin
    return jnp.where(np.eye(arms.num, dtype=bool), 1.0, weight * helps)


def _check(
    student: Student, arms: Arms, num_rounds: int, num_tests: int, weight: float, margin: float
) -> None:
    check_kind("estimate_graph.student", student, Student)
    check_kind("estimate_graph.arms", arms, Arms)
    if arms.num > MOST_SKILLS:
        raise ValueError(
            f"estimate_graph must have at most {MOST_SKILLS} arms, as every pair of them is"
            f" practised, got {arms.num:,}."
        )
    for name, number in {"num_rounds": num_rounds, "num_tests": num_tests}.items():
        if not is_integer(number, 1):
            raise ValueError(f"estimate_graph.{name} must be a positive integer, got {number!r}.")
    for name, number in {"weight": weight, "margin": margin}.items():
        if not is_number(number, 0):
            raise ValueError(
                f"estimate_graph.{name} must be a finite number of at least 0, got {number!r}."
            )
