"""Steps/s of a learner of rejax, all seeds together: run by `bench/learners.py`.

    python rejax_learners.py LEARNER NUM_SEEDS REPEATS

Stands alone, as it is run by a Python that has rejax 0.1.3 and gymnax 0.0.9 in place of this
package. Evaluations are left out.
"""

from __future__ import annotations

import sys
import time

import jax
from rejax import PPO, SAC

jax.config.update("jax_cpu_enable_async_dispatch", False)
STEPS = {"sac": 1024, "ppo": 32_768}  # of a seed, a call

LEARNERS = {
    "sac": lambda: SAC.create(
        env="Pendulum-v1",
        agent_kwargs={},
        hidden_layer_sizes=(64, 64),
        num_envs=8,
        num_epochs=8,
        buffer_size=16_384,
        fill_buffer=64,
        batch_size=256,
        learning_rate=3e-4,
        target_update_freq=8,
        polyak=0.995,
        gamma=0.99,
        total_timesteps=STEPS["sac"],
        eval_freq=STEPS["sac"],
        skip_initial_evaluation=True,
    ),
    "ppo": lambda: PPO.create(
        env="CartPole-v1",
        agent_kwargs={"hidden_layer_sizes": (64, 64), "activation": "tanh"},
        num_envs=64,
        num_steps=64,
        num_epochs=4,
        num_minibatches=4,
        total_timesteps=STEPS["ppo"],
        eval_freq=STEPS["ppo"],
        skip_initial_evaluation=True,
    ),
}


def main() -> None:
    name, num_seeds, repeats = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    learner = LEARNERS[name]().replace(eval_callback=lambda *_: ())
    keys = jax.random.split(jax.random.key(0), num_seeds)
    state = jax.jit(jax.vmap(learner.init_state))(keys)
    train = jax.jit(jax.vmap(lambda state: learner.train(train_state=state)[0]), donate_argnums=0)
    seconds = []
    for _ in range(repeats + 2):  # the first one compiles, the second one begins to learn
        begun = time.perf_counter()
        state = jax.block_until_ready(train(state))
        seconds.append(time.perf_counter() - begun)
    print(num_seeds * STEPS[name] / min(seconds[2:]))


if __name__ == "__main__":
    main()
