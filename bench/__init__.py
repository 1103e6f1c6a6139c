"""Speed: `python -m bench` prints tables and writes a JSON file; docs/decisions/ has the tries."""
