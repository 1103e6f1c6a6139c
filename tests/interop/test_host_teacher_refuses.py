"""What a HostTeacher refuses: one sentence, and nothing has changed."""

import numpy as np
import pytest
from interop.host_teachers import bookkeeper, equal

from jaxcurriculum import Box, teachers
from jaxcurriculum.interop import HostTeacher

BOX = Box(names=("height", "spacing"), low=(0.0, 0.0), high=(1.0, 1.0))
PLR = teachers.plr(BOX)
REFUSED = {
    "no teacher": (dict(teacher=BOX), TypeError, "HostTeacher.teacher must be of the type Teacher"),
    "negative seed": (dict(seed=-1), ValueError, "HostTeacher.seed must be an integer from 0"),
    "no batch": (dict(batch=0), ValueError, "HostTeacher.batch must be an integer from 1"),
    "half a batch": (dict(batch=1.5), ValueError, "HostTeacher.batch must be an integer"),
    "a huge batch": (dict(batch=10**9), ValueError, "batch must be an integer from 1 to 65536"),
    "no names": (dict(scores=5), ValueError, "scores must be a list of some of"),
    "unknown score": (dict(scores=("regret",)), ValueError, "scores must be a list of some of"),
    "one name": (dict(scores="max"), ValueError, "scores must be a list of some of"),
    "no critic": (dict(teacher=PLR), ValueError, "'plr' needs a critic's scores of episodes"),
    "another score": (
        dict(teacher=PLR, scores=("mean_value",)),
        ValueError,
        "'plr' cannot learn from the critic's scores that are named",
    ),
    "probes": (
        dict(teacher=teachers.learnability(BOX)),
        ValueError,
        "'learnability' probes the student",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_work_is_refused_when_it_is_made(name):
    arguments, error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        HostTeacher(**{"teacher": bookkeeper(), **arguments})


BAD = {
    "a task": (lambda host, ticket: host.update(ticket.task, 1.0), "must be of the type Ticket"),
    "a number": (lambda host, ticket: host.drop(0), "must be of the type Ticket"),
    "nan": (lambda host, ticket: host.update(ticket, np.nan), "episode_return must be a finite"),
    "text": (lambda host, ticket: host.update(ticket, "1"), "episode_return must be a finite"),
    "no steps": (lambda host, ticket: host.update(ticket, 1.0, length=0), "length must be a pos"),
    "half": (lambda host, ticket: host.update(ticket, 1.0, solved=0.5), "solved must be True or"),
    "score": (lambda host, ticket: host.update(ticket, 1.0, regret=2), "must be given the scores"),
    "unknown": (lambda host, ticket: host.drop(ticket._replace(id=99)), "ticket 99 must be open"),
    "other": (
        lambda host, ticket: host.drop(ticket._replace(seed=ticket.seed ^ 1)),
        "ticket 0 must be open: it was given back before, or is not of this HostTeacher",
    ),
    "no number": (lambda host, ticket: host.sample(0), "sample.k must be a positive integer"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_and_changes_nothing(name):
    call, message = BAD[name]
    host = HostTeacher(bookkeeper(), batch=2)
    ticket = host.sample()
    before = host.state_dict()
    with pytest.raises((TypeError, ValueError), match=message):
        call(host, ticket)
    assert equal(before, host.state_dict())
    host.update(ticket, 1.0)
    for again in (lambda: host.update(ticket, 1.0), lambda: host.drop(ticket)):
        with pytest.raises(ValueError, match="ticket 0 must be open: it was given back before"):
            again()


def after_one_return(state, number):
    """`state` with a return that waits, as `number`."""
    host = HostTeacher(bookkeeper())
    host.load_state_dict(state)
    host.update(host.open_tickets()[0], 1.0)
    return {**host.state_dict(), "waiting.returns": np.array([number], np.float32)}


def change(**changed):
    return lambda state: {**state, **changed}


SAVED = {
    "no dictionary": (lambda state: list(state), "state_dict must be of the type Mapping"),
    "nothing": (lambda state: {}, "must hold 'block.tasks', which is missing"),
    "more": (change(extra=np.zeros(1)), "must hold nothing else, got 'extra'"),
    "shape": (
        change(**{"rounds.teacher": np.zeros(3, np.float32)}),
        r"'rounds.teacher'\] must be float32\[2\], got float32\[3\]",
    ),
    "count": (change(**{"counts.next": np.int64(99)}), "no counts of a HostTeacher, got"),
    "return": (
        lambda state: after_one_return(state, np.nan),
        "state_dict must be finite numbers, got nan in 'waiting.returns'",
    ),
    "task": (
        lambda state: {**state, "open.proposals.tasks": state["open.proposals.tasks"] + np.inf},
        "state_dict must be finite numbers, got inf in 'open.proposals.tasks'",
    ),
    "teacher": (
        change(**{"rounds.teacher": np.full(2, np.nan, np.float32)}),
        "state_dict's teacher's proposals must be finite numbers, got nan in 'tasks'",
    ),
    "dtype": (change(**{"counts.next": np.float32(1)}), r"must be int64\[\], got float32\[\]"),
}


@pytest.mark.parametrize("name", SAVED)
def test_the_state_of_something_else_is_refused(name):
    altered, message = SAVED[name]
    host = HostTeacher(bookkeeper())
    host.sample()
    before = host.state_dict()
    with pytest.raises((TypeError, ValueError), match=message):
        host.load_state_dict(altered(before))
    assert equal(before, host.state_dict())
