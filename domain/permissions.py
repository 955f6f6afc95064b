"""Who may do what: the permission matrix of seed 004, section 7.3, and what operations ask for.

`MATRIX` is the seed's table as it stands there. A `Permission` is what a route asks for: it belongs
to a row of that table, needs one of its letters, and says which roles of those have it: where the
table lets all four write "own orders", placing one is the customer's alone. A token names the
permissions of its bearer (seed 004, section 7.2).
"""

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import NamedTuple


class Role(StrEnum):
    """The four kinds of people."""

    CUSTOMER = "customer"
    CHEF = "chef"
    DRIVER = "driver"
    ADMIN = "admin"


class Row(StrEnum):
    """The rows of the matrix."""

    BROWSE_CHEFS = "Browse Chefs"
    OWN_PROFILE = "Own Profile"
    OWN_ORDERS = "Own Orders"
    MENU_ITEMS = "Menu Items"
    CHEF_PROFILE = "Chef Profile"
    DELIVERY_TASKS = "Delivery Tasks"
    ALL_USERS = "All Users"
    ALL_CHEFS = "All Chefs"
    PLATFORM_CONFIG = "Platform Config"
    ANALYTICS = "Analytics"


_C, _H, _D, _A = Role.CUSTOMER, Role.CHEF, Role.DRIVER, Role.ADMIN

# R read, W write, CRUD all of it, L ("Limited") read what is one's own.
MATRIX: Mapping[Row, Mapping[Role, str]] = {
    Row.BROWSE_CHEFS: {_C: "R", _H: "R", _D: "", _A: "R"},
    Row.OWN_PROFILE: {_C: "RW", _H: "RW", _D: "RW", _A: "RW"},
    Row.OWN_ORDERS: {_C: "RW", _H: "RW", _D: "RW", _A: "RW"},
    Row.MENU_ITEMS: {_C: "R", _H: "CRUD", _D: "", _A: "CRUD"},
    Row.CHEF_PROFILE: {_C: "R", _H: "RW", _D: "", _A: "RW"},
    Row.DELIVERY_TASKS: {_C: "", _H: "R", _D: "RW", _A: "RW"},
    Row.ALL_USERS: {_C: "", _H: "", _D: "", _A: "CRUD"},
    Row.ALL_CHEFS: {_C: "", _H: "", _D: "", _A: "CRUD"},
    Row.PLATFORM_CONFIG: {_C: "", _H: "", _D: "", _A: "CRUD"},
    Row.ANALYTICS: {_C: "", _H: "L", _D: "L", _A: "R"},
}


class Grant(NamedTuple):
    """What a permission is called in a token, where it is in the matrix, and who has it."""

    name: str
    row: Row
    letter: str
    roles: frozenset[Role]


def _grant(name: str, row: Row, letter: str, *roles: Role) -> Grant:
    return Grant(name, row, letter, frozenset(roles))


class Permission(Enum):
    """What operations ask for."""

    READ_PROFILE = _grant("read:profile", Row.OWN_PROFILE, "R", _C, _H, _D, _A)
    WRITE_PROFILE = _grant("write:profile", Row.OWN_PROFILE, "W", _C, _H, _D, _A)
    # An admin's account is another admin's to end.
    DELETE_PROFILE = _grant("delete:profile", Row.OWN_PROFILE, "W", _C, _H, _D)
    # Who becomes a chef or driver is a customer until then, and asks again as what he has become.
    APPLY_AS_CHEF = _grant("apply:chef", Row.OWN_PROFILE, "W", _C, _H)
    APPLY_AS_DRIVER = _grant("apply:driver", Row.OWN_PROFILE, "W", _C, _D)
    # Where a payee gives Stripe his details: his own business, and the operators'.
    READ_PAYEE = _grant("read:payee", Row.OWN_PROFILE, "R", _C, _H, _D, _A)
    WRITE_PAYEE = _grant("write:payee", Row.OWN_PROFILE, "W", _C, _H, _D, _A)

    READ_ORDERS = _grant("read:orders", Row.OWN_ORDERS, "R", _C, _H, _D, _A)
    # Whoever has ordered may have become something else by now: his list is there for customers.
    LIST_ORDERS = _grant("list:orders", Row.OWN_ORDERS, "R", _C)
    WRITE_ORDERS = _grant("write:orders", Row.OWN_ORDERS, "W", _C)
    # What an admin may read of it he asks for as an admin.
    READ_MESSAGES = _grant("read:messages", Row.OWN_ORDERS, "R", _C, _H, _D)
    WRITE_MESSAGES = _grant("write:messages", Row.OWN_ORDERS, "W", _C, _H, _D)
    READ_PROOFS = _grant("read:proofs", Row.OWN_ORDERS, "R", _C, _A)
    WRITE_REVIEWS = _grant("write:reviews", Row.OWN_ORDERS, "W", _C)

    READ_KITCHEN = _grant("read:kitchen", Row.CHEF_PROFILE, "R", _H)
    WRITE_KITCHEN = _grant("write:kitchen", Row.CHEF_PROFILE, "W", _H)
    COOK_ORDERS = _grant("cook:orders", Row.OWN_ORDERS, "W", _H)
    READ_MENUS = _grant("read:menus", Row.MENU_ITEMS, "R", _H)
    WRITE_MENUS = _grant("write:menus", Row.MENU_ITEMS, "W", _H)
    READ_KITCHEN_ANALYTICS = _grant("read:kitchen-analytics", Row.ANALYTICS, "L", _H)

    READ_DELIVERIES = _grant("read:deliveries", Row.DELIVERY_TASKS, "R", _D)
    WRITE_DELIVERIES = _grant("write:deliveries", Row.DELIVERY_TASKS, "W", _D)

    READ_ALL_ORDERS = _grant("read:all-orders", Row.OWN_ORDERS, "R", _A)
    WRITE_ALL_ORDERS = _grant("write:all-orders", Row.OWN_ORDERS, "W", _A)
    READ_DISPATCH = _grant("read:dispatch", Row.DELIVERY_TASKS, "R", _A)
    WRITE_DISPATCH = _grant("write:dispatch", Row.DELIVERY_TASKS, "W", _A)
    READ_DRIVERS = _grant("read:drivers", Row.ALL_USERS, "R", _A)
    WRITE_DRIVERS = _grant("write:drivers", Row.ALL_USERS, "W", _A)
    READ_USERS = _grant("read:users", Row.ALL_USERS, "R", _A)
    WRITE_USERS = _grant("write:users", Row.ALL_USERS, "W", _A)
    READ_CHEFS = _grant("read:chefs", Row.ALL_CHEFS, "R", _A)
    WRITE_CHEFS = _grant("write:chefs", Row.ALL_CHEFS, "W", _A)
    MODERATE = _grant("moderate:reviews", Row.ALL_CHEFS, "W", _A)
    READ_MONEY = _grant("read:money", Row.PLATFORM_CONFIG, "R", _A)
    WRITE_MONEY = _grant("write:money", Row.PLATFORM_CONFIG, "W", _A)
    READ_CONFIG = _grant("read:config", Row.PLATFORM_CONFIG, "R", _A)
    WRITE_CONFIG = _grant("write:config", Row.PLATFORM_CONFIG, "W", _A)
    READ_AUDIT = _grant("read:audit", Row.PLATFORM_CONFIG, "R", _A)
    READ_ANALYTICS = _grant("read:analytics", Row.ANALYTICS, "R", _A)

    @property
    def roles(self) -> frozenset[Role]:
        """Who has it."""
        return self.value.roles


def permissions(role: Role) -> list[str]:
    """What a token of this role says its bearer may do."""
    return sorted(held.value.name for held in Permission if role in held.roles)


def allows(role: Role, row: Row, letter: str) -> bool:
    """Whether the seed's matrix lets a role do so in a row."""
    letters = MATRIX[row][role]
    return letter in letters or (letters == "CRUD" and letter == "W")
