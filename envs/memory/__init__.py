"""Worlds that need a memory."""
