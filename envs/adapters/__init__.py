"""Worlds of other packages, whose constants become the task."""
