"""A point that moves in the plane: through a gate, or around a ring."""
