"""Who may do what: every operation tried by everybody who may not, and nothing changed by it."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from domain.order_status import OrderStatus
from local.cast import Cast, cast
from local.people import Person
from tests.api import disputes

S = OrderStatus

# Every operation: who may (a role, or one "or" another), with which body. "anyone" needs no token,
# "party" is whoever the order concerns; to everybody but "… himself" and admins there is no such
# thing. An operation that is missing here fails the test.
OPERATIONS: dict[str, tuple[str, dict[str, Any] | None]] = {
    "GET /healthz": ("anyone", None),
    "GET /readyz": ("anyone", None),
    "POST /api/v1/auth/login": ("anyone", None),
    "GET /api/v1/chefs": ("anyone", None),
    "GET /api/v1/chefs/{chef_id}": ("anyone", None),
    "GET /api/v1/chefs/{chef_id}/menu": ("anyone", None),
    "GET /api/v1/chefs/{chef_id}/stripe/onboard": ("chef himself", None),
    "POST /api/v1/chefs/{chef_id}/stripe/onboard": ("chef himself", {}),
    "GET /api/v1/drivers/{driver_id}/stripe/onboard": ("driver himself", None),
    "POST /api/v1/drivers/{driver_id}/stripe/onboard": ("driver himself", {}),
    "GET /api/v1/chef/earnings": ("chef", None),
    "GET /api/v1/chef/payouts": ("chef", None),
    "GET /api/v1/delivery/earnings": ("driver", None),
    "GET /api/v1/delivery/payouts": ("driver", None),
    "GET /api/v1/admin/payouts": ("admin", None),
    "GET /api/v1/admin/payouts/runs/{day}": ("admin", None),
    "POST /api/v1/admin/payouts/run": ("admin", {"date": "2026-01-31"}),
    "PUT /api/v1/admin/payees/{kind}/{payee_id}/payouts": (
        "admin",
        {"held": True, "reason": "why not"},
    ),
    "GET /api/v1/admin/ledger/accounts": ("admin", None),
    "GET /api/v1/admin/ledger/movements": ("admin", None),
    "POST /api/v1/admin/ledger/movements/{movement_id}/reverse": ("admin", {"reason": "why not"}),
    "POST /api/v1/webhooks/stripe": ("anyone", None),
    "POST /api/v1/orders": ("customer", {"basket": True}),
    "POST /api/v1/orders/quote": ("customer", {"basket": True}),
    "GET /api/v1/orders": ("customer", None),
    "GET /api/v1/orders/{order_id}": ("party", None),
    "GET /api/v1/orders/{order_id}/history": ("party", None),
    "GET /api/v1/orders/{order_id}/driver-location": ("party", None),
    "GET /api/v1/orders/{order_id}/proof": ("customer or admin", None),
    "PUT /api/v1/orders/{order_id}/cancel": ("customer", {}),
    "PUT /api/v1/orders/{order_id}/tip": ("customer", {"tipCents": 500}),
    "POST /api/v1/orders/{order_id}/complaint": ("customer", {"reason": "late", "words": "cold"}),
    "GET /api/v1/chef/orders": ("chef", None),
    "PUT /api/v1/chef/orders/{order_id}/status": ("chef", {"status": "cancelled"}),
    "PUT /api/v1/chef/availability": ("chef", {"acceptingOrders": False}),
    "POST /api/v1/delivery/register": ("customer or driver", {"vehicle": {"type": "bicycle"}}),
    "GET /api/v1/delivery/profile": ("driver", None),
    "PUT /api/v1/delivery/vehicle": ("driver", {"type": "bicycle"}),
    "POST /api/v1/delivery/documents": (
        "driver",
        {"type": "identity", "fileUrl": "https://files.example.com/me.jpg"},
    ),
    "GET /api/v1/delivery/shifts": ("driver", None),
    "PUT /api/v1/delivery/shifts": ("driver", {"shifts": []}),
    "PUT /api/v1/delivery/availability": ("driver", {"isAvailable": False}),
    "POST /api/v1/delivery/location": ("driver", {"latitude": 1.0, "longitude": 1.0}),
    "GET /api/v1/delivery/offers": ("driver", None),
    "POST /api/v1/delivery/offers/{offer_id}/accept": ("driver", {}),
    "POST /api/v1/delivery/offers/{offer_id}/decline": ("driver", {"reason": "no"}),
    "GET /api/v1/delivery/orders": ("driver", None),
    "PUT /api/v1/delivery/orders/{order_id}": ("driver", {"status": "picked_up"}),
    "POST /api/v1/delivery/orders/{order_id}/proof": ("driver", {"photo": True}),
    "GET /api/v1/admin/orders": ("admin", None),
    "GET /api/v1/admin/chefs/{chef_id}/prep-times": ("admin", None),
    "GET /api/v1/admin/eta-quality": ("admin", None),
    "POST /api/v1/admin/orders/{order_id}/assign": ("admin", {"driver": True}),
    "POST /api/v1/admin/orders/{order_id}/unassign": ("admin", {"reason": "because"}),
    "POST /api/v1/admin/orders/{order_id}/hold": ("admin", {"reason": "because", "minutes": 5}),
    "POST /api/v1/admin/orders/{order_id}/release": ("admin", {"reason": "because"}),
    "POST /api/v1/admin/orders/{order_id}/prefer": ("admin", {"driver": True}),
    "GET /api/v1/admin/dispatch": ("admin", None),
    "POST /api/v1/admin/orders/{order_id}/cancel": ("admin", {"reason": "because"}),
    "POST /api/v1/admin/orders/{order_id}/refund": (
        "admin",
        {"bearer": "platform", "reason": "because"},
    ),
    "GET /api/v1/admin/complaints": ("admin", None),
    "POST /api/v1/admin/complaints/{request_id}/decide": (
        "admin",
        {"grant": True, "reason": "because"},
    ),
    "POST /api/v1/admin/promo-codes": (
        "admin",
        {"code": "FREE", "discountType": "percent", "discountValue": 10_000, "reason": "because"},
    ),
    "GET /api/v1/admin/reconciliation": ("admin", None),
    "POST /api/v1/admin/reconciliation/run": ("admin", None),
    "POST /api/v1/admin/reconciliation/cases/{case_id}/close": ("admin", {"reason": "because"}),
    "GET /api/v1/admin/promo-codes": ("admin", None),
    "PATCH /api/v1/admin/promo-codes/{code}": ("admin", {"isActive": False, "reason": "because"}),
    "GET /api/v1/admin/drivers": ("admin", None),
    "GET /api/v1/admin/drivers/{driver_id}": ("admin", None),
    "PUT /api/v1/admin/drivers/{driver_id}/verification": (
        "admin",
        {"status": "suspended", "reason": "because"},
    ),
    "PUT /api/v1/admin/drivers/{driver_id}/documents/{document_id}": (
        "admin",
        {"status": "rejected", "reason": "because"},
    ),
    "GET /api/v1/admin/disputes": ("admin", None),
    "GET /api/v1/admin/disputes/{dispute_id}": ("admin", None),
    "PUT /api/v1/admin/disputes/{dispute_id}/evidence": ("admin", {"text": "he had it"}),
    "POST /api/v1/admin/disputes/{dispute_id}/submit": ("admin", None),
    "POST /api/v1/admin/disputes/{dispute_id}/concede": ("admin", {"reason": "because"}),
}

_EVERYTHING = """
    WITH here AS (SELECT * FROM orders WHERE chef_id = :chef_id)
    SELECT 'orders', md5(string_agg(o::text, ',' ORDER BY id)) FROM here o
    UNION ALL SELECT 'steps', md5(string_agg(h::text, ',' ORDER BY id)) FROM order_status_history h
        WHERE order_id IN (SELECT id FROM here)
    UNION ALL SELECT 'offers', md5(string_agg(a::text, ',' ORDER BY id)) FROM driver_assignments a
        WHERE order_id IN (SELECT id FROM here)
    UNION ALL SELECT 'chefs', md5(string_agg(c::text, ',' ORDER BY id)) FROM chefs c
    UNION ALL SELECT 'drivers', md5(string_agg(d::text, ',' ORDER BY id)) FROM drivers d
    UNION ALL SELECT 'users', md5(string_agg(u::text, ',' ORDER BY id)) FROM users u
    UNION ALL SELECT 'papers', md5(string_agg(d::text, ',' ORDER BY id)) FROM driver_documents d
    UNION ALL SELECT 'shifts', md5(string_agg(s::text, ',' ORDER BY id)) FROM driver_shifts s
    UNION ALL SELECT 'payments', md5(string_agg(p::text, ',' ORDER BY id)) FROM payments p
    UNION ALL SELECT 'requests', md5(string_agg(r::text, ',' ORDER BY id)) FROM refund_requests r
    UNION ALL SELECT 'codes', md5(string_agg(c::text, ',' ORDER BY id)) FROM promo_codes c
    UNION ALL SELECT 'uses', md5(string_agg(r::text, ',' ORDER BY id)) FROM promo_redemptions r
    UNION ALL SELECT 'accounts', md5(string_agg(c::text, ',' ORDER BY id)) FROM connected_accounts c
    UNION ALL SELECT 'disputes',
        md5(string_agg(d::text, ',' ORDER BY stripe_dispute_id)) FROM disputes d
    UNION ALL SELECT 'movements', md5(string_agg(m::text, ',' ORDER BY id)) FROM ledger_movements m
        WHERE order_id IN (SELECT id FROM here)
    UNION ALL SELECT 'holds', md5(string_agg(h::text, ',' ORDER BY payee_id)) FROM payout_holds h
    UNION ALL SELECT 'payouts', md5(string_agg(p::text, ',' ORDER BY id)) FROM payouts p
    UNION ALL SELECT 'cases', md5(string_agg(r::text, ',' ORDER BY id)) FROM reconciliation_cases r
    UNION ALL SELECT 'places', md5(string_agg(l::text, ',' ORDER BY id)) FROM driver_locations l
    UNION ALL SELECT 'photos', md5(string_agg(p::text, ',' ORDER BY id)) FROM delivery_photos p
        WHERE order_id IN (SELECT id FROM here)
    UNION ALL SELECT 'actions', md5(string_agg(x::text, ',' ORDER BY id)) FROM admin_actions x
"""


async def everything(play: Cast) -> list[tuple[str, str]]:
    """A digest of all that could be changed; orders elsewhere go on by themselves meanwhile."""
    chef = {"chef_id": play.world.chef.id}
    async with play.database.read() as session:
        return [(row[0], row[1]) for row in await session.execute(text(_EVERYTHING), chef)]


async def operations(play: Cast) -> list[str]:
    async with httpx.AsyncClient(base_url=play.environment["API_URL"]) as http:
        document = (await http.get("/openapi.json")).json()
    return [
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method in methods
    ]


async def promo_code(play: Cast) -> str:
    """A code that is there to be changed."""
    terms = {"discountType": "fixed", "discountValue": 500, "reason": "to be tried"}
    made = await play.admin.post("/admin/promo-codes", code=f"P-{uuid4().hex}", **terms)
    return str(made["code"])


async def movement_of(play: Cast, order: dict[str, Any]) -> str:
    """What the order's payment has booked."""
    found = await play.admin.get("/admin/ledger/movements", orderId=order["id"])
    return str(found["data"][0]["id"])


async def document_of(driver: Person) -> str:
    """A document that is there to be looked at."""
    handed_in = await driver.post(
        "/delivery/documents", type="identity", fileUrl="https://files.example.com/me.jpg"
    )
    return str(handed_in["id"])


async def send(play: Cast, person: Person | None, operation: str, ids: dict[str, str]) -> int:
    method, path = operation.split(" ", 1)
    body = OPERATIONS[operation][1]
    if body == {"basket": True}:
        body = dict(play.world.basket())
    elif body == {"driver": True}:
        body = {"driverId": str(play.world.drivers[0].id), "reason": "because"}
    token = person.authorization if person else None
    async with httpx.AsyncClient(base_url=play.environment["API_URL"]) as http:
        answer = await http.request(
            method,
            path.format(**ids),
            json=body,
            headers={"Authorization": token} if token else {},
        )
    assert answer.headers["content-type"] == "application/problem+json", operation
    return answer.status_code


async def test_every_operation_is_known_here(play: Cast) -> None:
    assert sorted(await operations(play)) == sorted(OPERATIONS)


@pytest.mark.parametrize(
    "operation", [name for name, (who, _) in OPERATIONS.items() if who != "anyone"]
)
async def test_whoever_may_not_is_refused_and_nothing_changes(play: Cast, operation: str) -> None:
    may, _ = OPERATIONS[operation]
    order = await play.bring(S.READY_FOR_PICKUP)
    offer = await play.offered(0, order)
    ids = {
        "order_id": order["id"],
        "offer_id": offer["id"],
        "chef_id": str(play.world.chef.id),
        "driver_id": str(play.world.drivers[0].id),
        "dispute_id": "",
        "code": await promo_code(play),
        "day": "2026-01-31",
        "movement_id": await movement_of(play, order),
        "kind": "chef",
        "payee_id": str(play.world.chef.id),
        "case_id": str(uuid4()),
        "document_id": await document_of(play.drivers[0]),
        "request_id": str(uuid4()),
    }
    if "{dispute_id}" in operation:
        ids["dispute_id"] = await disputes.opened(play, order)
    concerns_one_order = "{order_id}" in operation or "{offer_id}" in operation

    async with cast(play.environment, drivers=1) as strangers:
        before = await everything(play)

        assert await send(play, None, operation, ids) == 401
        people = {
            "customer": (play.customer, strangers.customer),
            "chef": (play.chef, strangers.chef),
            "driver": (play.drivers[0], strangers.drivers[0]),
            "admin": (play.admin, strangers.admin),
        }
        for role, (insider, stranger) in people.items():
            if may.endswith(" himself"):
                others = [stranger] if may.startswith(role) else [insider, stranger]
                for other in others if role != "admin" else []:
                    assert await send(play, other, operation, ids) == 404, role
            elif may != "party" and role not in may.split(" or "):
                assert await send(play, insider, operation, ids) == 403, role
                assert await send(play, stranger, operation, ids) == 403, role
            elif concerns_one_order and role != "admin":
                assert await send(play, stranger, operation, ids) == 404, role

        assert await everything(play) == before
