"""The one exception whose message is the whole answer to the person at the command line."""


class RunError(Exception):
    """Something that the user can put right; its message is one clear sentence."""
