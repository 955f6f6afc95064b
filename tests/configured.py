"""Settings for processes of a test's own."""

from collections.abc import Mapping

from settings import Settings


def settings_of(environment: Mapping[str, str]) -> Settings:
    """The settings that a process with this environment would have."""
    known = {
        name: environment[name.upper()]
        for name in Settings.model_fields
        if name.upper() in environment
    }
    return Settings.model_validate(known)
