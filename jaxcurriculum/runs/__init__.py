"""A run on disk: recorded, resumed exactly, and interrupted without loss."""
