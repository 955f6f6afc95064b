"""Why a command cannot say that all is well, and the exit status that says so."""

OK, DIFFERENT, MISUSED, UNREACHABLE = range(4)


class Misused(Exception):
    """What was asked for makes no sense, or is about something that does not exist: status 2."""


class Tampered(Exception):
    """What was exported is not what lies there now: status 1."""
