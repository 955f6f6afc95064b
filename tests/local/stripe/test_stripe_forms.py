"""Form-encoded parameters: what the official SDK encodes is what we read."""

from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stripe._encode import _api_encode

from local.stripe import forms, params
from local.stripe.errors import InvalidParameter
from local.stripe.params import Required

names = st.text(alphabet="abcdefghij_0123456789", min_size=1, max_size=8)
values = st.text(min_size=1, max_size=20)
nested = st.recursive(
    values,
    lambda inner: (
        st.dictionaries(names, inner, min_size=1, max_size=4)
        | st.lists(inner, min_size=1, max_size=4)
    ),
    max_leaves=12,
)


def as_form(value: Any) -> Any:
    """Return a value as the parser leaves it: lists are numbered hashes."""
    if isinstance(value, list):
        return {str(place): as_form(item) for place, item in enumerate(value)}
    if isinstance(value, dict):
        return {name: as_form(item) for name, item in value.items()}
    return value


@given(st.dictionaries(names, nested, min_size=1, max_size=4))
def test_what_the_sdk_encodes_is_parsed_back(sent: dict[str, Any]) -> None:
    encoded = urlencode(list(_api_encode(sent)))
    assert forms.parse(encoded) == as_form(sent)


def test_empty_brackets_append() -> None:
    parsed = forms.parse("expand[]=customer&expand[]=latest_charge")
    assert parsed == {"expand": {"0": "customer", "1": "latest_charge"}}


def test_list_is_read_in_the_order_of_its_indices() -> None:
    form = forms.parse("&".join(f"expand[{place}]=field{place}" for place in (10, 9, 0)))
    read = params.read({"expand": params.list_of(params.text)}, form)
    assert read == {"expand": ["field0", "field9", "field10"]}


@pytest.mark.parametrize("encoded", ["a=1&a[b]=2", "a[b]=2&a=1", "a[b=1", "[a]=1"])
def test_contradictory_brackets_are_refused(encoded: str) -> None:
    with pytest.raises(InvalidParameter):
        forms.parse(encoded)


SPEC: params.Spec = {
    "amount": Required(params.integer(at_least=1, at_most=100)),
    "enabled": params.boolean,
    "method": params.one_of("automatic", "manual"),
    "nested": params.mapping({"name": params.text}),
    "notes": params.metadata,
    "words": params.list_of(params.text),
}


@pytest.mark.parametrize(
    ("encoded", "code", "param"),
    [
        ("amount=1&colour=red", "parameter_unknown", "colour"),
        ("amount=1&nested[colour]=red", "parameter_unknown", "nested[colour]"),
        ("enabled=true", "parameter_missing", "amount"),
        ("amount=ten", "parameter_invalid_integer", "amount"),
        ("amount=0", "parameter_invalid_integer", "amount"),
        ("amount=101", "parameter_invalid_integer", "amount"),
        ("amount=", "parameter_invalid_empty", "amount"),
        ("amount[a]=1", None, "amount"),
        ("amount=1&enabled=yes", None, "enabled"),
        ("amount=1&method=psychic", None, "method"),
        ("amount=1&nested=flat", None, "nested"),
        ("amount=1&words=flat", None, "words"),
        ("amount=1&words[first]=flat", None, "words"),
        ("amount=1&notes=flat", None, "notes"),
        (f"amount=1&notes[k]={'x' * 501}", None, "notes[k]"),
        (f"amount=1&notes[{'k' * 41}]=x", None, f"notes[{'k' * 41}]"),
    ],
)
def test_bad_parameter_is_refused_by_name(encoded: str, code: str | None, param: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        params.read(SPEC, forms.parse(encoded))
    assert (refused.value.details["code"], refused.value.details["param"]) == (code, param)


def test_several_unknown_parameters_are_named_together() -> None:
    with pytest.raises(InvalidParameter, match="Received unknown parameters: colour, size"):
        params.read(SPEC, forms.parse("amount=1&colour=red&size=9"))
