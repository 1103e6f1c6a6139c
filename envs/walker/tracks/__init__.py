"""What a walker walks on: families of tracks and their published test sets."""
