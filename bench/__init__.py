"""Speed: `python -m bench` prints the tables and writes a JSON file with versions and device;
NOTES.md says what was tried.
"""
