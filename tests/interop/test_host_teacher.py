"""A teacher on the host: exactly once, in any order, one compilation, as `make_loop`."""

import pickle
import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from interop.host_teachers import bookkeeper, equal, traced

from jaxcurriculum import Box, Discrete, Product, Proposals, make_loop, teachers
from jaxcurriculum.interop import HostTeacher
from jaxcurriculum.students import simulated

BOX = Box(names=("height", "spacing"), low=(0.0, 0.0), high=(1.0, 1.0))


def play(host, ticket):
    """A smooth world: the nearer to the middle the better."""
    middling = 1.0 - float(np.abs(ticket.task - 0.5).sum())
    host.update(ticket, middling, solved=middling > 0.5, length=10)


def alp_gmm():
    return teachers.alp_gmm(BOX, teachers.AlpGmmConfig(fit_every=20, history=200, max_components=2))


def plr():
    return teachers.plr(BOX, teachers.PlrConfig(capacity=40, score="return_change"))


def exp3():
    return teachers.exp3(teachers.arms.cells(BOX, 4))


@pytest.mark.parametrize("make, batch", [(alp_gmm, 1), (plr, 8), (exp3, 8)])
def test_the_curriculum_is_that_of_make_loop(make, batch, untraced):
    teacher = make()
    student = simulated.toy_grid(simulated.ToyGridConfig(cells=5, episodes_per_round=batch))
    loop = make_loop(teacher, student, [[0.5, 0.5]])
    state = loop.init(jax.random.key(3))
    learner, advance, train = state.student, jax.jit(loop.round), jax.jit(student.train)
    host = HostTeacher(teacher, seed=3, batch=batch)
    for round in range(120 // batch):
        state, expected = advance(state, jnp.int32(round))
        tickets = host.sample(batch)
        learner, episodes = train(jax.random.key(9), learner, proposals_of(tickets), jnp.int32(0))
        for ticket, value, solved in zip(tickets, episodes.returns, episodes.solved):
            host.update(ticket, float(value), solved=bool(solved))
        for name in ("tasks", "seeds", "returns"):
            np.testing.assert_array_equal(getattr(episodes, name), getattr(expected, name))
    expected = jax.jit(teacher.report)(state.teacher)
    assert equal(host.report(), expected)


def proposals_of(tickets):
    return Proposals(
        tasks=np.stack([ticket.task for ticket in tickets]),
        seeds=np.array([ticket.seed for ticket in tickets], np.uint32),
        origin=np.zeros(len(tickets), np.int32),
        weight=np.array([ticket.weight for ticket in tickets], np.float32),
    )


@pytest.mark.parametrize("batch", [1, 5])
def test_every_return_counts_once_and_no_ticket_misses_more_than_a_batch(batch):
    random = np.random.default_rng(0)
    host = HostTeacher(bookkeeper(), batch=batch)
    held, given, total, num_tickets = [], 0, 0, 0
    for _ in range(400):
        if random.random() < 0.55 or not held:
            tickets = host.sample(int(random.integers(1, 4)))
            for ticket in tickets:
                assert given - (batch - 1) <= ticket.task[0] <= given
            num_tickets += len(tickets)
            held += tickets
            continue
        ticket = held.pop(random.integers(len(held)))  # late, and in any order
        if random.random() < 0.2:
            host.drop(ticket)
            continue
        value = int(random.integers(100))
        host.update(ticket, value)
        given, total = given + 1, total + value
    assert host.open_tickets() == sorted(held)
    held += host.sample(batch)  # more than the block has: what waits is learned from before
    assert host.report() == {"seen": given, "total": total}
    assert [ticket.id for ticket in host.sample(2)] == [
        num_tickets + batch,
        num_tickets + batch + 1,
    ]


def test_one_compilation_whatever_arrives():
    teacher, traces = traced(bookkeeper())
    host = HostTeacher(teacher, batch=4)
    for num in (1, 9, 4):
        tickets = host.sample(num)
        before = len(traces) if num == 4 else None
        for ticket in tickets[::-2]:
            host.update(ticket, np.float64(1.0), length=np.int64(7), solved=np.bool_(True))
    for ticket in host.open_tickets():
        host.update(ticket, 1)
    state = host.state_dict()
    host.load_state_dict(state)
    for ticket in host.sample(11):
        host.update(ticket, 2.5)
    assert before == len(traces)


def test_a_killed_trainer_goes_on_with_the_same_numbers(tmp_path):
    teacher = plr()
    host = HostTeacher(teacher, seed=1, batch=8)
    for ticket in host.sample(45)[3:]:  # three stay open, five slots of the block are left
        play(host, ticket)
    np.savez(tmp_path / "teacher.npz", **host.state_dict())
    restored = HostTeacher(teacher, seed=2, batch=8)
    restored.load_state_dict(np.load(tmp_path / "teacher.npz"))
    through_pickle = pickle.loads(pickle.dumps(host))
    expected = go_on(host)
    assert equal(go_on(restored), expected) and equal(go_on(through_pickle), expected)


def go_on(host):
    """The late returns, then fifty more; the state of all, which counts and keys are part of."""
    late = host.open_tickets()
    tickets = host.sample(50)
    for ticket in late + tickets:
        play(host, ticket)
    return [ticket.task for ticket in late + tickets], host.report(), host.state_dict()


def test_threads_share_one_teacher():
    host = HostTeacher(bookkeeper(), batch=4)
    ids = []

    def work():
        for _ in range(100):
            ticket = host.sample()
            ids.append(ticket.id)
            host.update(ticket, 2)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ids) == list(range(800)) and not host.open_tickets()
    host.sample(4)  # more than the block has left: what waits is learned from before
    assert host.report() == {"seen": 800, "total": 1600}


def test_names_of_syllabus_and_of_teach_my_agent():
    host = HostTeacher(bookkeeper(), batch=1)
    host.update_on_episode(3.0, 10, host.sample(), 1.0, env_id=0)
    host.record_train_episode(host.sample_task(), 4.0, 10, success=True)
    assert host.report() == {"seen": 2, "total": 7}


def test_tasks_keep_their_structure_and_cannot_be_written_to():
    space = Product(kind=Discrete(num=3), place=BOX)
    host = HostTeacher(teachers.random(space), batch=3)
    tickets = host.sample(4)
    for ticket in tickets:
        assert sorted(ticket.task) == ["kind", "place"] and ticket.task["kind"].dtype == np.int32
        assert ticket.task["place"].dtype == np.float32 and space.contains(ticket.task)
        host.update(ticket, 1.0)
    with pytest.raises(ValueError, match="read-only"):
        tickets[0].task["place"][0] = 3.0
    again = HostTeacher(teachers.random(space), seed=8, batch=3)
    again.load_state_dict(host.state_dict())
    assert equal(again.sample(5), host.sample(5))


SUCCESSES = teachers.PlrConfig(score="learnability")
READS = {
    "exp3": (exp3, ()),
    "plr of returns": (plr, ()),
    "plr of successes": (lambda: teachers.plr(BOX, SUCCESSES), ("solved",)),
    "schedule": (
        lambda: teachers.schedule([(plr(), 5), (teachers.plr(BOX, SUCCESSES), 5)]),
        ("solved", "length"),
    ),
}


@pytest.mark.parametrize("name", READS)
def test_what_a_teacher_reads_must_be_given(name):
    make, reads = READS[name]
    host = HostTeacher(make())
    known = {"solved": True, "length": 5}
    for missing in reads:
        ticket = host.sample()
        given = {name: value for name, value in known.items() if name != missing}
        with pytest.raises(ValueError, match=f"update.{missing} must be given"):
            host.update(ticket, 1.0, **given)
    host.update(host.sample(), 1.0, **{name: known[name] for name in reads})


def test_steps_end_the_phases_of_a_schedule():
    phases = [(bookkeeper(), 25), (bookkeeper(), 1)]
    host = HostTeacher(teachers.schedule(phases), batch=2)
    seen = []
    for _ in range(8):
        host.update(host.sample(), 1.0, length=7)
        seen.append(int(host.report()["phase"]))
    assert seen == [0, 0, 0, 1, 1, 1, 1, 1]  # 28 steps after the second pair


def test_scores_of_a_critic_reach_the_teacher():
    config = teachers.PlrConfig(capacity=4, score="positive_value_loss")
    host = HostTeacher(teachers.plr(BOX, config), batch=2, scores=("positive_value_loss",))
    tickets = host.sample(4)
    for ticket, score in zip(tickets, (0.5, 2.0, 1.0, 4.0)):
        host.update(ticket, 0.0, positive_value_loss=score)
    report = host.report()
    assert sorted(report.scores.tolist()) == [0.5, 1.0, 2.0, 4.0]
    best = int(np.argmax(report.scores))
    np.testing.assert_array_equal(report.tasks[best], tickets[3].task)
