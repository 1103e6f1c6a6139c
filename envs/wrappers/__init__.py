"""Worlds made of other worlds."""
