"""Mazes on a grid: what is built where is the task."""
