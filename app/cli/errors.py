class CommandError(Exception):
    """The message is for the person at the terminal and says what to do."""
