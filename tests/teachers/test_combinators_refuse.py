"""What teachers made of teachers refuse."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from listeners import KEY, SPACE, listener

from jaxcurriculum import Box, teachers

PAIRED = dataclasses.replace(listener(), name="paired", num_learners=2)


@pytest.mark.parametrize(
    "make", [lambda a, b: teachers.mix(a, b, 0.5), lambda a, b: teachers.schedule([(a, 1), (b, 1)])]
)
def test_tasks_must_be_alike(make):
    line = Box(names=("height",), low=(0.0,), high=(3.0,))
    teacher = make(listener(), listener(line))
    with pytest.raises(
        ValueError,
        match=r"must have teachers whose tasks are alike, got .*\(4, 3\).* and .*\(4, 1\)",
    ):
        teacher.propose(KEY, teacher.init(KEY), 4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: teachers.mix(listener(), listener(), 1.5), "mix.share.*1.5"),
        (lambda: teachers.mix(listener(), PAIRED, 0.5), "mix must have .* got 'paired', .* 2"),
        (lambda: teachers.schedule([(PAIRED, 1)]), "schedule must have teachers of one learner"),
        (
            lambda: teachers.mix(listener(), listener(), "x"),
            "mix.share must be a number between 0 and 1, got 'x'",
        ),
        (lambda: teachers.in_subspace(listener, SPACE, {"weight": 1.0}), "in_subspace.*'weight'"),
        (
            lambda: teachers.in_subspace(listener, SPACE, {"height": 4.0}),
            "in_subspace.*'height'.*4.0",
        ),
        (
            lambda: teachers.in_subspace(listener, SPACE, {"height": (2.0, 1.0)}),
            "in_subspace.*'height'.*2.0",
        ),
        (
            lambda: teachers.in_subspace(listener, SPACE, {"height": [0.0, np.nan]}),
            "in_subspace.*'height'.*nan",
        ),
        (
            lambda: teachers.in_subspace(listener, SPACE, {"height": (0.0, 1.0, 2.0)}),
            "in_subspace.*'height'.*2.0",
        ),
        (
            lambda: teachers.in_subspace(listener, SPACE, {"height": "ab"}),
            "in_subspace.*'height' is 'ab'",
        ),
        (
            lambda: teachers.in_subspace(
                listener, SPACE, {"height": 1.0, "spacing": 1.0, "angle": 0.0}
            ),
            "in_subspace.*fixed",
        ),
        (
            lambda: teachers.in_latent_space(listener, SPACE, lambda key, point: point, memory=0),
            "in_latent_space.memory must be a positive integer, got 0",
        ),
        (lambda: teachers.normalise_returns(listener(), 1.0, 1.0), "normalise_returns.*1.0"),
        (
            lambda: teachers.normalise_returns(listener(), "a", 1.0),
            "normalise_returns.*low='a' and high=1.0",
        ),
        (lambda: teachers.normalise_returns(listener(), -np.inf, 1.0), "normalise_returns.*-inf"),
        (
            lambda: teachers.mix(listener(), listener(), jnp.float32(2.0)),
            "mix.share must be a number between 0 and 1, got .*2",
        ),
        (
            lambda: teachers.mix(listener(), listener(), jnp.full(3, 0.5)),
            "mix.share must be a number between 0 and 1, got",
        ),
        *[
            (
                lambda phases=phases: teachers.schedule(phases),
                r"schedule.phases must be a list of one or more pairs \(teacher, steps\), got",
            )
            for phases in (
                [],
                None,
                [listener(), listener()],
                ((listener(), 1) for _ in range(2)),
                [(listener(), 1, 2)],
            )
        ],
        (
            lambda: teachers.schedule([(listener(), 1)], cyclical="no"),
            "schedule.cyclical must be True or False, got 'no'",
        ),
        *[
            (
                lambda steps=steps: teachers.schedule([(listener(), steps)]),
                "schedule.phases.*positive integer number of steps",
            )
            for steps in (0, -1, 0.5, 1.5, np.nan, np.inf, "10", None, True)
        ],
        (
            lambda: teachers.schedule([(listener(), 3 * 10**9), (listener(), 1)]),
            r"schedule.phases must start within 2\^31 - 1",
        ),
        (
            lambda: teachers.schedule([(listener(), 1), (listener(), 2**31 - 1)], True),
            r"schedule.phases must end within 2\^31 - 1",
        ),
        (lambda: teachers.frozen(listener(), None), "frozen.state must be a state of listener"),
        (
            lambda: teachers.frozen(listener(), jnp.zeros(3)),
            r"frozen.state must be a state of listener.*\(4,\).*\(3,\)",
        ),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: teachers.mix(None, listener(), 0.5),
            "mix.first must be of the type Teacher, got None",
        ),
        (
            lambda: teachers.mix(listener(), SPACE, 0.5),
            "mix.second must be of the type Teacher, got Box",
        ),
        (
            lambda: teachers.normalise_returns(SPACE, 0, 1),
            "normalise_returns.teacher must be of the type Teacher, got Box",
        ),
        (
            lambda: teachers.frozen(teachers.random, ()),
            "frozen.teacher must be of the type Teacher, got <function",
        ),
        (
            lambda: teachers.schedule([("r", 5)]),
            r"schedule.phases\[0\]\[0\] must be of the type Teacher, got 'r'",
        ),
        (
            lambda: teachers.in_subspace(listener(), SPACE, {}),
            r"in_subspace.make must be a function \(subspace\) -> Teacher, got Teacher",
        ),
        (
            lambda: teachers.in_subspace(listener, teachers.arms.cells(SPACE), {}),
            "in_subspace.space must be of the type Box, got Arms",
        ),
        (
            lambda: teachers.in_subspace(listener, SPACE, None),
            "in_subspace.bounds must be of the type Mapping, got None",
        ),
        (
            lambda: teachers.in_subspace(listener, SPACE, [1.0]),
            r"in_subspace.bounds must be of the type Mapping, got \[1.0\]",
        ),
        (
            lambda: teachers.in_subspace(lambda space: space, SPACE, {}),
            r"in_subspace.make\(subspace\) must be of the type Teacher, got Box",
        ),
    ],
)
def test_what_is_no_teacher_is_named(make, message):
    with pytest.raises(TypeError, match=message):
        make()
