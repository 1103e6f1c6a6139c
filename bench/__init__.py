"""Speed: `python -m bench` prints tables and writes a JSON file; NOTES.md says what was tried."""
