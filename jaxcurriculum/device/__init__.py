"""Where programs run: seeds over devices, compiler options, JAX's switches, and work in lanes."""
