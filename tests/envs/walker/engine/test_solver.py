"""The impulses on walkers that fall, land and push off: what makes a solution one, and very
many sweeps as the reference.
"""

import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from walker_scenes import level, numbers, window

from jaxcurriculum import envs, tree
from jaxcurriculum.envs.walker.engine import dynamics, solver, terrain
from jaxcurriculum.envs.walker.engine.contact import deepest, link_contacts
from jaxcurriculum.envs.walker.engine.kinematics import WalkerState, link_tops, posture_of
from jaxcurriculum.envs.walker.engine.mass import mass_matrix, project
from jaxcurriculum.envs.walker.engine.rows import make_rows
from jaxcurriculum.testing.compiling import quick_jit

WALKER, NUM = numbers("default"), 256
JAMMED = pathlib.Path(__file__).parents[4] / "references" / "jammed_walkers.npz"


@pytest.fixture(scope="module")
def problem():
    """Rows, masses, bounds, the motion before them and a first guess, after 10 to 60 random
    steps among stumps.
    """
    env = envs.stump_tracks()
    keys = jax.random.split(jax.random.key(0), NUM)
    tasks = jnp.broadcast_to(jnp.array([0.5, 0.6]), (NUM, 2))
    level = quick_jit(jax.vmap(env.generate))(keys, tasks)
    state, _ = quick_jit(jax.vmap(env.reset))(keys, level)
    ahead = jax.random.uniform(keys[0], (NUM,), maxval=20.0)
    state = state.replace(hull_pose=state.hull_pose.at[:, 0].add(ahead).at[:, 1].add(0.3))
    step = quick_jit(jax.vmap(env.step))
    for i in range(60):
        action = jax.random.uniform(jax.random.key(i // 6), (NUM, 4), minval=-1)
        goes_on = np.arange(NUM) % 50 + 10 > i  # so that walkers stop at different moments
        new, _ = step(keys, level, state, action)
        state = tree.where(goes_on, new, state)
    level, state, action = jax.tree.map(lambda x: jnp.moveaxis(x, 0, -1), (level, state, action))

    @quick_jit
    def prepare(level, state):
        window = terrain.window_at(level, state.hull_pose[0] - 3, 9.0)
        shape = posture_of(WALKER, state)
        mass = mass_matrix(WALKER, shape)
        tops = link_tops(WALKER, state.hull_pose, shape)
        centres = tops + WALKER.length[None] / 2 * shape.axis
        contacts = deepest(link_contacts(WALKER, window, tops, shape), centres)
        rows = make_rows(mass, tops, contacts)
        fall = jnp.array([0.0, -0.2, 0.0])
        hull = state.hull_velocity + fall[:, None]
        motion = project(WALKER, mass, hull, state.link_velocity + fall[:, None, None, None])
        return rows, mass, dynamics._bounds(WALKER, state, action, contacts.gap), motion

    rows, mass, bounds, motion = prepare(level, state)
    problem = solver.Problem(rows, mass, bounds)
    reference = gauss_seidel(problem, motion, 4000)
    touches = np.array(reference.impulses[2:6].sum((0, 1)) > 0)
    assert touches.mean() > 0.3
    half_way = gauss_seidel(problem, motion, 2000)
    converged = distance(mass, half_way.motion, reference.motion) < 1e-2
    # Those with two contacts that rub against each other have many solutions.
    assert converged.mean() > 0.9
    return problem, motion, reference, touches & converged


many_sweeps, solve = jax.jit(solver.gauss_seidel), jax.jit(solver.solve)


def gauss_seidel(problem, motion, num_sweeps):
    start = solver.Solution(
        motion=motion, impulses=jnp.zeros_like(problem.rows.mass), change=jnp.zeros(NUM)
    )
    return many_sweeps(problem, start, num_sweeps)  # one program for any number of them


def distance(mass, a, b):
    """Square root of twice the kinetic energy of the difference of two motions."""
    hull, links = np.array(a.hull - b.hull), np.array(a.links - b.links)
    return np.sqrt(
        np.einsum("in,ijn,jn->n", hull, mass.hull, hull)
        + np.einsum("iln,ijln,jln->n", links, mass.leg, links)
    )


def test_impulses_keep_their_bounds_and_make_the_motion(problem):
    system, motion, *_ = problem
    rows, _, bounds = system
    solved, impulses = solve(system, motion, jnp.zeros_like(rows.mass))
    joints, normals, tangents = impulses[:2], impulses[2:6], impulses[6:]
    assert (normals >= 0).all()
    # A sweep takes the tangents first, so the last change is left.
    outside = np.array(jnp.abs(tangents) - bounds.friction * normals)
    assert np.quantile(outside, 0.99) < 0.01 and outside.max() < 1.0  # N s
    assert (joints >= jnp.where(bounds.at.upper, -jnp.inf, bounds.low[:2]) - 1e-6).all()
    assert (joints <= jnp.where(bounds.at.lower, jnp.inf, bounds.high[:2]) + 1e-6).all()
    made = jnp.einsum("rlin,rln->lin", rows.response, impulses)
    np.testing.assert_allclose(solved.hull - motion.hull, made[:, :3].sum(0), atol=2e-3)
    np.testing.assert_allclose(solved.links - motion.links, made[:, 3:].swapaxes(0, 1), atol=1e-2)


def test_newton_steps_leave_less_than_half_the_error_of_as_many_sweeps(problem):
    system, motion, reference, hard = problem
    mass = system.mass
    solved, _ = solve(system, motion, jnp.zeros_like(system.rows.mass))
    ours = distance(mass, solved, reference.motion)[hard]
    swept = distance(mass, gauss_seidel(system, motion, 12).motion, reference.motion)[hard]
    assert ours.mean() < 0.5 * swept.mean() and np.median(ours) < 0.1


def test_a_solution_stays_one(problem):
    system, motion, reference, hard = problem
    again, _ = solve(system, motion, reference.impulses)
    error = distance(system.mass, again, reference.motion)[hard]
    assert np.median(error) < 1e-3 and np.quantile(error, 0.9) < 0.05


def test_jammed_walkers_are_not_thrown_into_the_air():
    """Friction makes these states' Newton steps nearly singular; the impulses of one used to
    make 2,000 m/s.
    """
    kept = dict(np.load(JAMMED))
    action = jnp.asarray(kept.pop("action"))
    state = WalkerState(**jax.tree.map(jnp.asarray, kept))
    advance = quick_jit(lambda track, state: dynamics.advance(WALKER, track, state, action))
    after, _ = advance(window(level(), stretch=100.0), state)

    def speed(state):
        links = state.link_velocity.reshape(3, -1, action.shape[1])
        return np.abs(np.concatenate([state.hull_velocity[:, None], links], axis=1))

    assert (speed(after).max((0, 1)) < speed(state).max((0, 1)) + 8).all()
