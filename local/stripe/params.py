"""What an operation accepts: readers turn form values into typed ones, or refuse them.

A `Spec` names an operation's parameters and how each is read; `read` applies it. Readers are plain
functions of the parameter's name (for the error) and its value, and are put together from smaller
ones: `list_of(one_of("card"))`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from local.stripe.errors import InvalidParameter
from local.stripe.forms import Form, FormValue

Params: TypeAlias = dict[str, Any]
Reader: TypeAlias = Callable[[str, FormValue], Any]


@dataclass(frozen=True)
class Required:
    """A parameter that may not be left out."""

    reader: Reader


Spec: TypeAlias = Mapping[str, Reader | Required]

MAX_TEXT = 5000
MAX_METADATA_KEYS = 50
MAX_METADATA_NAME = 40
MAX_METADATA_VALUE = 500


def read(spec: Spec, form: Form, within: str = "") -> Params:
    """Return the parameters that were given, typed; those left out are absent."""
    unknown = [_named(within, name) for name in form if name not in spec]
    if unknown:
        raise InvalidParameter(
            f"Received unknown parameter{'s' if len(unknown) > 1 else ''}: {', '.join(unknown)}",
            code="parameter_unknown",
            param=unknown[0],
        )
    for name, field in spec.items():
        if isinstance(field, Required) and name not in form:
            raise missing(_named(within, name))
    return {name: _reader(spec[name])(_named(within, name), form[name]) for name in form}


def missing(param: str) -> InvalidParameter:
    """Return the error for a required parameter that was left out."""
    return InvalidParameter(
        f"Missing required param: {param}.", code="parameter_missing", param=param
    )


def text(param: str, value: FormValue) -> str:
    """Read a string that cannot be unset."""
    if not isinstance(value, str):
        raise InvalidParameter("Invalid string", param=param)
    if not value:
        raise InvalidParameter(
            f"You passed an empty string for '{param}'. We assume empty values are an attempt to "
            f"unset a parameter; however '{param}' cannot be unset. You should remove '{param}' "
            "from your request or supply a non-empty value.",
            code="parameter_invalid_empty",
            param=param,
        )
    return _bounded(param, value, MAX_TEXT)


def long_text(*, at_most: int) -> Reader:
    """Read a string that may be longer than most, or an empty one, which unsets the value."""

    def read_long_text(param: str, value: FormValue) -> str | None:
        if not isinstance(value, str):
            raise InvalidParameter("Invalid string", param=param)
        return _bounded(param, value, at_most) or None

    return read_long_text


def web_address(param: str, value: FormValue) -> str:
    """Read an http or https address."""
    url = text(param, value)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidParameter("Not a valid URL", code="url_invalid", param=param)
    return url


def clearable(reader: Reader) -> Reader:
    """Read what `reader` reads, or an empty string, which unsets the value."""

    def read_or_clear(param: str, value: FormValue) -> object:
        return None if value == "" else reader(param, value)

    return read_or_clear


def integer(*, at_least: int | None = None, at_most: int | None = None) -> Reader:
    """Read a whole number within bounds."""

    def read_integer(param: str, value: FormValue) -> int:
        digits = text(param, value)
        if re.fullmatch(r"-?\d+", digits) is None:
            raise _invalid_integer(f"Invalid integer: {digits}", param)
        number = int(digits)
        if at_least is not None and number < at_least:
            raise _invalid_integer(
                f"This value must be greater than or equal to {at_least}.", param
            )
        if at_most is not None and number > at_most:
            raise _invalid_integer(f"This value must be less than or equal to {at_most}.", param)
        return number

    return read_integer


def boolean(param: str, value: FormValue) -> bool:
    """Read `true` or `false`."""
    word = text(param, value)
    if word not in ("true", "false"):
        raise InvalidParameter(f"Invalid boolean: {word}", param=param)
    return word == "true"


def one_of(*choices: str) -> Reader:
    """Read one of a few words."""

    def read_choice(param: str, value: FormValue) -> str:
        word = text(param, value)
        if word not in choices:
            *most, last = choices
            allowed = f"{', '.join(most)} or {last}" if most else last
            raise InvalidParameter(f"Invalid {param}: must be one of {allowed}", param=param)
        return word

    return read_choice


def list_of(reader: Reader) -> Reader:
    """Read a list, in the order of its indices."""

    def read_list(param: str, value: FormValue) -> list[Any]:
        if isinstance(value, str) or not all(index.isdigit() for index in value):
            raise InvalidParameter("Invalid array", param=param)
        return [reader(_named(param, index), value[index]) for index in sorted(value, key=int)]

    return read_list


def mapping(spec: Spec) -> Reader:
    """Read a hash whose parameters are `spec`."""

    def read_mapping(param: str, value: FormValue) -> Params:
        if isinstance(value, str):
            raise InvalidParameter("Invalid object", param=param)
        return read(spec, value, within=param)

    return read_mapping


def metadata(param: str, value: FormValue) -> dict[str, str]:
    """Read names and values to be merged; an empty value unsets one, an empty whole unsets all."""
    if value == "":
        return {}
    if isinstance(value, str) or not all(isinstance(entry, str) for entry in value.values()):
        raise InvalidParameter("Invalid object: metadata is a hash of strings", param=param)
    entries = {name: str(entry) for name, entry in value.items()}
    for name, entry in entries.items():
        if len(name) > MAX_METADATA_NAME or len(entry) > MAX_METADATA_VALUE:
            raise InvalidParameter(
                f"Metadata keys can have up to {MAX_METADATA_NAME} characters and values up to "
                f"{MAX_METADATA_VALUE}. Invalid key: {name}",
                param=_named(param, name),
            )
    if len(entries) > MAX_METADATA_KEYS:
        raise InvalidParameter(
            f"You can only set {MAX_METADATA_KEYS} metadata keys at once.", param=param
        )
    return entries


def merged(metadata_before: dict[str, str], entries: dict[str, str]) -> dict[str, str]:
    """Return the metadata after an update that sent `entries`."""
    if not entries:
        return {}
    return {name: entry for name, entry in (metadata_before | entries).items() if entry}


def _bounded(param: str, value: str, at_most: int) -> str:
    if len(value) > at_most:
        raise InvalidParameter(
            f"Invalid string: must be at most {at_most} characters",
            code="parameter_invalid_string",
            param=param,
        )
    return value


def _reader(field: Reader | Required) -> Reader:
    return field.reader if isinstance(field, Required) else field


def _named(within: str, name: str) -> str:
    return f"{within}[{name}]" if within else name


def _invalid_integer(message: str, param: str) -> InvalidParameter:
    return InvalidParameter(message, code="parameter_invalid_integer", param=param)
