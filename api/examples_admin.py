"""What answers of administration look like, for the readers of the OpenAPI document."""

from api.examples import Example

_USER = "0198c0de-0000-7000-8000-0000000000c1"
_ADMIN = "0198c0de-0000-7000-8000-0000000000f1"
_SETTING = "0198c0de-0000-7000-8000-0000000000e1"

USER: Example = {
    "id": _USER,
    "email": "customer@example.com",
    "role": "customer",
    "firstName": "Casey",
    "lastName": "Morgan",
    "phone": "+15125550100",
    "isActive": True,
    "isVerified": True,
    "suspendedAt": None,
    "suspensionReason": None,
    "createdAt": "2026-01-31T18:00:00Z",
}

USER_DETAIL: Example = {
    **USER,
    "chefId": None,
    "driverId": None,
    "counts": {
        "orders": 12,
        "openOrders": 1,
        "cancelledOrders": 1,
        "spentCents": 26600,
        "refundedCents": 0,
        "ordersCooked": 0,
        "deliveries": 0,
    },
}

ACTION: Example = {
    "id": "0198c0de-0000-7000-8000-0000000000aa",
    "adminId": _ADMIN,
    "adminName": "Alex Kim",
    "action": "user_suspended",
    "targetType": "user",
    "targetId": _USER,
    "before": {"isActive": True},
    "after": {"isActive": False},
    "reason": "chargebacks on three cards",
    "details": {},
    "createdAt": "2026-01-31T18:00:00Z",
}

VALUES: Example = {
    "rates": {"taxBps": 825, "deliveryBaseCents": 550},
    "chefResponseSeconds": 240,
}

IN_FORCE: Example = {
    "rates": {
        "taxBps": 825,
        "platformFeeBps": 1500,
        "serviceFeeBps": 0,
        "deliveryBaseCents": 550,
        "deliveryIncludedKm": 5.0,
        "deliveryCentsPerKm": 75,
    },
    "refunds": {"smallCents": 1500, "automaticRefunds": 2},
    "mostServiceRadiusKm": 50.0,
    "paymentDeadlineSeconds": 900,
    "chefResponseSeconds": 240,
    "scheduledLeadSeconds": 900,
    "dispatchAlertSeconds": 1200,
    "dispatchGiveUpSeconds": 1800,
    "pickupOverdueSeconds": 1200,
    "deliveryOverdueSeconds": 900,
    "refundOverdueSeconds": 604800,
    "complaintWindowSeconds": 86400,
    "tipWindowSeconds": 86400,
}

SETTING: Example = {
    "id": _SETTING,
    "effectiveFrom": "2026-02-01T06:00:00Z",
    "values": VALUES,
    "reason": "the city's new tax",
    "createdBy": _ADMIN,
    "createdAt": "2026-01-31T18:00:00Z",
    "withdrawnAt": None,
    "withdrawnBy": None,
    "withdrawalReason": None,
}

MARKET: Example = {
    "name": "austin",
    "timezone": "America/Chicago",
    "country": "US",
    "currency": "usd",
    "inForce": IN_FORCE,
    "coming": 1,
}

MONEY: Example = {
    "currency": "usd",
    "orders": 40,
    "revenueCents": 106400,
    "platformRevenueCents": 15960,
    "averageOrderCents": 2660,
}

BREACHES: Example = {"chefTooLate": 1, "foodLate": 3, "deliveryLate": 2}

DASHBOARD: Example = {
    "begin": "2026-01-25",
    "end": "2026-01-31",
    "ordersByStatus": {"delivered": 40, "cancelled": 3, "preparing": 2},
    "money": [MONEY],
    "chefAcceptance": {"asked": 44, "accepted": 42, "rate": 0.9545},
    "drivers": {"onDuty": 9, "busy": 6, "idle": 3},
    "refunds": [{"currency": "usd", "refunds": 3, "cents": 4200}],
    "breachesByHour": [{"hour": "2026-01-31T18:00:00Z", **BREACHES}],
    "breachesByZone": [{"zone": "85489e37fffffff", **BREACHES}],
}

ANALYTICS: Example = {
    "begin": "2026-01-25",
    "end": "2026-01-31",
    "days": [
        {
            "day": "2026-01-31",
            "orders": 42,
            "delivered": 40,
            "cancelled": 2,
            "revenueCents": 106400,
            "newCustomers": 5,
            "ratings": 12,
            "averageRating": 4.75,
        }
    ],
    "customers": 31,
    "repeatRate": 0.4194,
    "topChefs": [
        {
            "chefId": "0198c0de-0000-7000-8000-000000000001",
            "businessName": "Meena's Kitchen",
            "orders": 17,
            "revenueCents": 45220,
            "currency": "usd",
        }
    ],
    "cancellations": [{"by": "deadline", "reason": "chef_did_not_answer", "orders": 2}],
}

QUEUE: Example = {"waiting": 3, "oldestAt": "2026-01-31T18:00:00Z"}

QUEUES: Example = {
    "chefs": QUEUE,
    "chefDocuments": QUEUE,
    "drivers": QUEUE,
    "driverDocuments": {"waiting": 0, "oldestAt": None},
}
