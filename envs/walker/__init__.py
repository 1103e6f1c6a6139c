"""Planar walkers on tracks, as fast as arithmetic allows: bodies, terrain, physics, senses, and
the environments made of them.
"""
