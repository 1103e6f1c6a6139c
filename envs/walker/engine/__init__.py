"""The physics of a planar walker, after Box2D."""
