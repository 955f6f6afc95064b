"""The permissions that operations ask for, and the seed's matrix."""

import pytest

from domain.permissions import MATRIX, Permission, Role, Row, allows, permissions


@pytest.mark.parametrize("permission", Permission)
def test_nobody_has_a_permission_that_the_seeds_matrix_does_not_allow(
    permission: Permission,
) -> None:
    _, row, letter, roles = permission.value

    assert roles
    assert all(allows(role, row, letter) for role in roles)


def test_the_matrix_has_a_letter_for_every_role_in_every_row() -> None:
    assert set(MATRIX) == set(Row)
    assert all(set(row) == set(Role) for row in MATRIX.values())


def test_names_are_told_apart_in_tokens() -> None:
    names = [permission.value.name for permission in Permission]

    assert len(set(names)) == len(names)
    assert permissions(Role.CUSTOMER) == sorted(permissions(Role.CUSTOMER))
    assert "write:orders" in permissions(Role.CUSTOMER)
    assert "write:orders" not in permissions(Role.CHEF)
