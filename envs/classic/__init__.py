"""Classic control whose constants are the task."""
