"""SPDL: divergence, natural gradient and trust region against plain float64; where the Gaussian goes, and when."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from compiling import quick_jit
from scipy.stats import multivariate_normal

from jaxcurriculum import Box, Context, teachers
from jaxcurriculum.students.simulated.episodes import of_proposals
from jaxcurriculum.teachers import SelfPacedConfig
from jaxcurriculum.teachers.trust_region import DAMPING, Gaussian, kl, log_density, trust_region_step
from jaxcurriculum.types import fresh_proposals

SPACE = Box(names=("height", "constant", "spacing"), low=(0.0, 2.0, 1.0), high=(3.0, 2.0, 7.0))


def plain_factor(flat, dims):
    factor = np.diag(np.exp(flat[dims : 2 * dims]))
    factor[np.tril_indices(dims, -1)] = flat[2 * dims :]
    return factor


def plain_kl(p, q, dims):
    """KL of flat parameters (mean, log-diagonal, below), in float64."""
    p, q = np.asarray(p, np.float64), np.asarray(q, np.float64)
    covariance_p, covariance_q = (plain_factor(x, dims) @ plain_factor(x, dims).T for x in (p, q))
    shift, precision = q[:dims] - p[:dims], np.linalg.inv(covariance_q)
    log_det = np.linalg.slogdet(covariance_q)[1] - np.linalg.slogdet(covariance_p)[1]
    return 0.5 * (np.trace(precision @ covariance_p) - dims + shift @ precision @ shift + log_det)


def plain_objective(x, old, points, values, dims):
    """Mean of the importance-weighted values of points [num, dims], in float64."""
    x, old = np.asarray(x, np.float64), np.asarray(old, np.float64)
    density = lambda flat: multivariate_normal(flat[:dims], plain_factor(flat, dims) @ plain_factor(flat, dims).T).logpdf(points)
    return np.mean(np.exp(density(x) - density(old)) * np.asarray(values, np.float64))


def to_gaussian(flat, dims):
    flat = jnp.asarray(flat, jnp.float32)
    return Gaussian(mean=flat[:dims], log_diagonal=flat[dims : 2 * dims], below=flat[2 * dims :])


def to_flat(gaussian):
    return np.concatenate([np.asarray(leaf) for leaf in (gaussian.mean, gaussian.log_diagonal, gaussian.below)], axis=-1)


def random_flats(rng, num, dims):
    """Means in the unit cube, standard deviations of 0.02 to 0.5, strong correlations."""
    means, logs = rng.uniform(0, 1, (num, dims)), np.log(rng.uniform(0.02, 0.5, (num, dims)))
    return np.concatenate([means, logs, rng.normal(0, 0.1, (num, dims * (dims - 1) // 2))], axis=1).astype(np.float32)


def context(num_steps):
    return Context(round=jnp.int32(0), num_steps=jnp.asarray(num_steps, jnp.int32), probe=None)


def made_episodes(tasks, returns, **fields):
    proposals = fresh_proposals(jax.random.key(0), jnp.asarray(tasks, jnp.float32))
    returns = jnp.asarray(returns, jnp.float32)
    return of_proposals(proposals, returns, returns > 0).replace(**fields)


def practise(teacher, value, rounds, num):
    """(value's argument) -> last state, and reports and Gaussians after every round of `num` episodes, each of which is a step.

    `value` is (argument, key, task) -> return.
    """

    def run(argument):
        def one_round(state, inputs):
            keys = jax.random.split(inputs[0], 3)
            state, proposals = teacher.propose(keys[0], state, num)
            returns = jax.vmap(lambda key, task: value(argument, key, task))(jax.random.split(keys[1], num), proposals.tasks)
            now = context((inputs[1] + 1) * num)
            state, _ = teacher.update(keys[2], state, of_proposals(proposals, returns, returns > 0), now)
            return state, (teacher.report(state), state.gaussian)

        keys = jax.random.split(jax.random.key(1), rounds)
        return jax.lax.scan(one_round, teacher.init(jax.random.key(0)), (keys, jnp.arange(rounds)))

    return run


def test_presets_are_the_published_ones():
    default, benchmark = SelfPacedConfig(), SelfPacedConfig.teach_my_agent()
    assert (default.offset_steps, default.update_every_steps) == (100_000, 100_000)
    assert (benchmark.offset_steps, benchmark.update_every_steps) == (200_000, 50_000)
    for config in (default, benchmark):
        assert (config.max_kl, config.zeta, config.alpha_offset, config.buffer_size, config.target_std) == (0.1, 0.25, 10, 1000, 0.25)


@pytest.mark.parametrize(
    "bad",
    [
        {"offset_steps": -1},
        {"update_every_steps": 0},
        {"update_every_steps": 0.5},
        {"max_kl": -0.1},
        {"alpha_offset": -1},
        {"zeta": -1.0},
        {"zeta": float("nan")},
        {"buffer_size": 1},
        {"target_std": 0.0},
        {"target_std": (0.1, -0.1)},
        {"initial_std": 0.0},
    ],
)
def test_bad_configurations_are_named(bad):
    with pytest.raises(ValueError, match=f"SelfPacedConfig.{next(iter(bad))}"):
        SelfPacedConfig(**bad)


@pytest.mark.parametrize(
    "bad",
    [
        {"target_mean": (0.0, 2.0, 8.0)},
        {"target_mean": (0.0, 3.0, 2.0)},
        {"target_mean": (0.0, 2.0)},
        {"target_mean": (float("nan"), 2.0, 2.0)},
        {"target_std": (0.1, 0.1)},
        {"initial_mean": (0.0, 2.0, 0.0)},
    ],
)
def test_what_does_not_fit_the_space_is_named(bad):
    with pytest.raises(ValueError, match=f"SelfPacedConfig.{next(iter(bad))}"):
        teachers.self_paced(SPACE, SelfPacedConfig(**bad))


def test_divergence_is_the_closed_form_and_the_mean_log_ratio():
    rng, dims = np.random.default_rng(0), 3
    flats = random_flats(rng, 20, dims)
    near = flats + rng.normal(0, 1e-2, flats.shape).astype(np.float32)
    compute = quick_jit(jax.vmap(lambda p, q: kl(to_gaussian(p, dims), to_gaussian(q, dims))))
    for others in (flats[::-1], near):
        np.testing.assert_allclose(compute(flats, others), [plain_kl(p, q, dims) for p, q in zip(flats, others)], rtol=2e-4)
    p, q = np.float64(flats[0]), np.float64(near[0])
    density = [multivariate_normal(x[:dims], plain_factor(x, dims) @ plain_factor(x, dims).T) for x in (p, q)]
    points = density[0].rvs(100_000, random_state=1)
    log_ratio = density[0].logpdf(points) - density[1].logpdf(points)
    np.testing.assert_allclose(compute(flats[:1], near[:1])[0], np.mean(log_ratio), atol=4 * np.std(log_ratio) / np.sqrt(len(points)))


def test_the_bound_holds_in_float64_and_the_objective_does_not_fall():
    rng, dims, num = np.random.default_rng(1), 3, 200
    flats = random_flats(rng, num, dims)
    noise, values = rng.normal(size=(num, 60, dims)), rng.normal(rng.normal(0, 1, (num, 1)), 1, (num, 60)).astype(np.float32)
    points = np.stack([np.clip(x[:dims] + z @ plain_factor(x, dims).T, 0, 1) for x, z in zip(flats, noise)]).astype(np.float32)

    def step(x, points, values, max_kl):
        old = to_gaussian(x, dims)
        before = log_density(old, points.T)
        return trust_region_step(old, lambda new: jnp.mean(jnp.exp(log_density(new, points.T) - before) * values), max_kl)

    moved = quick_jit(jax.vmap(step, in_axes=(0, 0, 0, None)))
    for max_kl in (1e-3, 0.1, 0.8):
        new = to_flat(moved(flats, points, values, jnp.float32(max_kl)))
        distance = np.array([plain_kl(a, b, dims) for a, b in zip(flats, new)])
        assert np.all(distance <= max_kl) and np.median(distance) > 0.1 * max_kl
        gain = [plain_objective(b, a, c, v, dims) - np.mean(v) for a, b, c, v in zip(flats, new, points, values)]
        assert np.min(gain) >= -1e-5


def test_the_step_is_along_the_natural_gradient_of_finite_differences():
    rng, dims = np.random.default_rng(2), 2
    x = np.array([0.4, 0.6, np.log(0.2), np.log(0.1), 0.05], np.float32)
    points = x[:dims] + rng.normal(size=(80, dims)) @ plain_factor(x, dims).T
    values = 3 + points @ [1.0, -2.0] + rng.normal(0, 0.3, 80)
    target = np.array([0.5, 0.5, np.log(0.25), np.log(0.25), 0.0], np.float32)
    worth = lambda y: plain_objective(y, x, points, values, dims) - 0.3 * plain_kl(y, target, dims)
    unit, small = np.eye(5), 1e-4
    gradient = np.array([(worth(x + small * e) - worth(x - small * e)) / (2 * small) for e in unit])
    away = lambda shift: plain_kl(x, x + small * shift, dims) / small**2  # half of shift^T F shift
    fisher = np.array([[(away(a + b) - away(a - b)) / 2 for a in unit] for b in unit])
    direction = np.linalg.solve(fisher + DAMPING * unit, gradient)

    def objective(new):
        ratio = jnp.exp(log_density(new, jnp.float32(points.T)) - log_density(to_gaussian(x, dims), jnp.float32(points.T)))
        return jnp.mean(ratio * jnp.float32(values)) - 0.3 * kl(new, to_gaussian(target, dims))

    step = to_flat(quick_jit(lambda old: trust_region_step(old, objective, 1e-3))(to_gaussian(x, dims))).astype(np.float64) - x
    assert step @ direction / np.linalg.norm(step) / np.linalg.norm(direction) > 0.9999


def test_random_values_of_any_size_never_break_the_bound():
    teacher = teachers.self_paced(SPACE, SelfPacedConfig(offset_steps=0, update_every_steps=20, alpha_offset=10))
    value = lambda size, key, task: size * (jax.random.normal(key) + 0.2)
    sizes = jnp.array([100.0, 1.0, 1e37, 1e-38, 0.0])
    _, (reports, gaussians) = quick_jit(jax.vmap(practise(teacher, value, 150, 20)))(sizes)
    np.testing.assert_array_equal(reports["num_updates"], np.tile(np.arange(1, 151), (5, 1)))
    for flats, size in zip(to_flat(gaussians), sizes):
        distance = np.array([plain_kl(a, b, 2) for a, b in zip(flats, flats[1:])])
        assert np.all(np.isfinite(flats)) and np.all(distance <= 0.1)
        assert size not in (1, 100) or np.mean(distance > 0.01) > 0.5


def test_the_mean_moves_to_where_the_value_is():
    config = SelfPacedConfig(offset_steps=0, update_every_steps=50, alpha_offset=1000, initial_mean=(0.6, 2.0, 5.8))
    best = jnp.array([2.4, 2.0, 2.2])  # (0.8, 0.2) of the ranges, where the Gaussian begins at (0.2, 0.8)
    value = lambda best, key, task: jnp.exp(-10 * jnp.sum((SPACE.to_unit(task) - SPACE.to_unit(best)) ** 2))
    _, (reports, _) = quick_jit(practise(teachers.self_paced(SPACE, config), value, 200, 50))(best)
    np.testing.assert_allclose(reports["mean"][-1], best, atol=0.25)
    assert np.all(reports["std"][:, 1] == 0) and reports["kl_to_target"][-1] > 1


def test_the_gaussian_ends_at_the_target():
    config = SelfPacedConfig(
        offset_steps=0, update_every_steps=500, alpha_offset=5, zeta=1.0, target_mean=(1.0, 2.0, 3.0), target_std=(0.2, 0.1, 0.15)
    )
    _, (reports, _) = quick_jit(practise(teachers.self_paced(SPACE, config), lambda one, key, task: one, 60, 500))(jnp.float32(1))
    np.testing.assert_allclose(reports["mean"][-1], [1, 2, 3], atol=0.05)
    np.testing.assert_allclose(reports["std"][-1], [0.2, 0, 0.15], atol=0.01)
    assert reports["kl_to_target"][3] > 1 and reports["kl_to_target"][-1] < 0.01


def test_updates_come_at_the_documented_steps():
    teacher = teachers.self_paced(SPACE, SelfPacedConfig(offset_steps=25, update_every_steps=10))
    _, (reports, _) = quick_jit(practise(teacher, lambda axis, key, task: task[axis], 64, 1))(0)
    steps = np.arange(1, 65)
    np.testing.assert_array_equal(reports["num_updates"], np.maximum(steps // 10 - 2, 0))  # at 30, 40, 50 and 60


def test_an_update_without_episodes_waits_and_a_round_of_two_periods_counts_once():
    teacher = teachers.self_paced(SPACE, SelfPacedConfig(offset_steps=10, update_every_steps=10))
    update = quick_jit(lambda state, episodes, steps: teacher.update(jax.random.key(0), state, episodes, context(steps))[0])
    both = made_episodes([[1.0, 2.0, 3.0], [2.0, 2.0, 5.0]], [1.0, 2.0])
    none, one = both.replace(valid=jnp.zeros(2, bool)), both.replace(valid=jnp.array([True, False]))
    state, seen = teacher.init(jax.random.key(0)), []
    for episodes, steps in [(one, 10), (none, 11), (one, 12), (both, 19), (none, 20), (one, 21), (both, 22), (both, 49), (both, 50)]:
        state = update(state, episodes, steps)
        seen.append((int(state.num_updates), int(state.buffer.num_rows), int(state.num_returns)))
    assert seen == [(0, 1, 1), (0, 1, 1), (1, 0, 0), (1, 2, 2), (1, 2, 2), (2, 0, 0), (2, 2, 2), (3, 0, 0), (4, 0, 0)]


def test_seeds_share_a_branch_and_take_it_only_when_an_update_is_due():
    teacher = teachers.self_paced(SPACE, SelfPacedConfig(offset_steps=10, update_every_steps=10))
    states = jax.vmap(teacher.init)(jax.random.split(jax.random.key(0), 2))
    episodes = made_episodes([[1.0, 2.0, 3.0]], [1.0])
    program = jax.make_jaxpr(jax.vmap(lambda state: teacher.update(jax.random.key(0), state, episodes, context(9))[0]))(states)
    assert [equation.primitive.name for equation in program.eqns].count("cond") == 1
    assert not any(equation.primitive.name == "while" for equation in program.eqns), "the search stands inside the branch"


def test_returns_that_are_not_finite_count_as_absent_and_missing_values_are_replaced():
    teacher = teachers.self_paced(SPACE, SelfPacedConfig(offset_steps=0, update_every_steps=10, alpha_offset=0))
    start = teacher.init(jax.random.key(0))
    update = quick_jit(lambda episodes: teacher.update(jax.random.key(0), start, episodes, context(10))[0])
    tasks = np.random.default_rng(0).uniform([0, 2, 1], [3, 2, 7], (6, 3))
    returns = jnp.array([1.0, jnp.nan, 3.0, -jnp.inf, 5.0, 4.0])
    kept, blank = jnp.isfinite(returns), jnp.full((6,), jnp.nan)
    masked = made_episodes(tasks, jnp.where(kept, returns, 7.0)).replace(valid=kept)
    assert jax.tree.all(jax.tree.map(jnp.array_equal, update(made_episodes(tasks, returns)), update(masked)))
    critic = masked.replace(initial_value=masked.returns, discounted_returns=masked.returns, returns=0 * masked.returns)
    partly = critic.replace(initial_value=blank.at[0].set(1.0), discounted_returns=blank.at[2].set(jnp.inf), returns=masked.returns)
    np.testing.assert_array_equal(to_flat(update(critic).gaussian), to_flat(update(masked).gaussian))
    np.testing.assert_array_equal(to_flat(update(partly).gaussian), to_flat(update(masked).gaussian))


def test_the_target_attracts_only_after_the_offset_and_with_a_positive_return():
    tasks = np.random.default_rng(0).uniform([0, 2, 1], [3, 2, 7], (50, 3))

    @quick_jit
    def after(discounted, num_updates, zeta):
        config = SelfPacedConfig(offset_steps=0, update_every_steps=10, alpha_offset=3, zeta=zeta, initial_mean=(0.0, 2.0, 7.0))
        teacher = teachers.self_paced(SPACE, config)
        start = teacher.init(jax.random.key(0)).replace(num_updates=num_updates)
        episodes = made_episodes(tasks, tasks[:, 0], discounted_returns=jnp.full((50,), discounted))
        return teacher.update(jax.random.key(0), start, episodes, context(10))[0].gaussian

    free = to_flat(after(100.0, 2, 0.25))
    for arguments in ((100.0, 0, 0.25), (-5.0, 3, 0.25), (100.0, 3, 0.0)):
        np.testing.assert_array_equal(to_flat(after(*arguments)), free)
    assert np.max(np.abs(to_flat(after(100.0, 3, 0.25)) - free)) > 1e-3


def test_the_gaussian_begins_where_the_configuration_says():
    easy = teachers.self_paced(SPACE, SelfPacedConfig(initial_mean=(0.3, 2.0, 4.0), initial_std=0.05))
    start = easy.init(jax.random.key(0))
    report, (_, proposals) = quick_jit(lambda state: (easy.report(state), easy.propose(jax.random.key(1), state, 4000)))(start)
    np.testing.assert_allclose(report["mean"], [0.3, 2, 4], rtol=1e-6)
    np.testing.assert_allclose(report["std"], [0.05, 0, 0.05], rtol=1e-6)
    np.testing.assert_allclose(np.std(proposals.tasks[:, 2]), 0.3, rtol=0.05)  # 0.05 of the range of 6
    random = teachers.self_paced(SPACE)
    reports = quick_jit(jax.vmap(lambda key: random.report(random.init(key))))(jax.random.split(jax.random.key(2), 1000))
    np.testing.assert_allclose(np.mean(reports["mean"], axis=0), [1.5, 2, 4], atol=0.25)
    np.testing.assert_allclose(np.std(reports["mean"], axis=0) * np.sqrt(12), [3, 0, 6], rtol=0.1)  # uniform
    np.testing.assert_allclose(reports["std"][0], [0.1, 0, 0.1], rtol=1e-6)


def test_a_space_of_one_task():
    point = Box(names=("a", "b"), low=(1.0, 2.0), high=(1.0, 2.0))
    teacher = teachers.self_paced(point, SelfPacedConfig(offset_steps=0, update_every_steps=10))
    state, proposals = teacher.propose(jax.random.key(1), teacher.init(jax.random.key(0)), 10)
    assert np.all(np.asarray(proposals.tasks) == [[1.0, 2.0]])
    episodes = made_episodes(proposals.tasks, jnp.arange(10.0))
    state, _ = quick_jit(lambda state: teacher.update(jax.random.key(2), state, episodes, context(10)))(state)
    assert int(state.num_updates) == 1 and np.all(np.isfinite(to_flat(state.gaussian)))
    assert np.all(np.asarray(teacher.report(state)["mean"]) == [1.0, 2.0])


def test_the_bound_can_be_swept():
    def distance(max_kl, episodes):
        teacher = teachers.self_paced(SPACE, SelfPacedConfig(offset_steps=0, update_every_steps=10, max_kl=max_kl))
        start = teacher.init(jax.random.key(0))
        return kl(start.gaussian, teacher.update(jax.random.key(0), start, episodes, context(10))[0].gaussian)

    tasks = np.random.default_rng(0).uniform([0, 2, 1], [3, 2, 7], (50, 3))
    distances = quick_jit(jax.vmap(distance, in_axes=(0, None)))(jnp.array([0.0, 0.01, 0.5]), made_episodes(tasks, tasks[:, 0]))
    assert distances[0] == 0 < distances[1] <= 0.01 < distances[2] <= 0.5
