"""A port is free when a server of ours could listen there."""

import socket
from collections.abc import Iterator

import pytest

from local import ports


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.socket() as server:
        server.bind((ports.HOST, 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_port_where_somebody_listens_is_taken_and_answers(listening: int) -> None:
    assert not ports.is_free(listening)
    assert ports.answers(listening)


def test_the_next_free_port_is_neither_taken_nor_promised(listening: int) -> None:
    found = ports.next_free(listening, {listening + 1})
    assert found > listening + 1
    assert ports.is_free(found)


def test_a_free_port_is_taken_as_wanted() -> None:
    free = ports.any_free()
    assert ports.next_free(free, set()) == free
    assert not ports.answers(free)


def test_what_was_found_free_is_not_found_again_before_anybody_listens() -> None:
    found = [ports.any_free() for _ in range(20)]

    assert len(set(found)) == 20
    assert max(found) < 32_768, "a connection could take it"
