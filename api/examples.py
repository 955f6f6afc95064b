"""What answers look like, for the readers of the OpenAPI document: the seeds' golden order."""

from typing import Any

from pydantic import ConfigDict

Example = dict[str, Any]


def shown(*examples: Example) -> ConfigDict:
    """The configuration of a model that is shown by these."""
    return ConfigDict(json_schema_extra={"examples": list(examples)})


_ORDER = "0198c0de-0000-7000-8000-00000000000a"
_CUSTOMER = "0198c0de-0000-7000-8000-0000000000c1"
_CHEF = "0198c0de-0000-7000-8000-000000000001"
_DISH = "0198c0de-0000-7000-8000-0000000000a1"

PRICE: Example = {
    "subtotalCents": 2000,
    "taxCents": 160,
    "deliveryFeeCents": 500,
    "serviceFeeCents": 0,
    "discountCents": 0,
    "tipCents": 0,
    "totalCents": 2660,
}

LOGIN: Example = {
    "accessToken": "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9…",
    "tokenType": "Bearer",
    "expiresIn": 900,
    "refreshToken": "Jx2cD8rYH0b1…",
    "refreshExpiresIn": 604800,
    "user": {
        "id": _CUSTOMER,
        "email": "customer@example.com",
        "role": "customer",
        "firstName": "Casey",
        "lastName": "Morgan",
    },
}

LOCATIONS: list[Example] = [
    {
        "positions": [
            {
                "latitude": 30.2672,
                "longitude": -97.7431,
                "accuracy": 8,
                "speed": 7.5,
                "heading": 90,
                "recordedAt": "2026-01-31T18:00:00Z",
            },
            {
                "latitude": 30.2672,
                "longitude": -97.7427,
                "accuracy": 8,
                "recordedAt": "2026-01-31T18:00:05Z",
            },
        ]
    },
    {"latitude": 30.2672, "longitude": -97.7431, "accuracy": 8, "speed": 7.5, "heading": 90},
]

LOCATION: Example = {
    "accepted": 1,
    "refused": [
        {"index": 1, "code": "too_far", "detail": "nobody can have come so far since the last one"}
    ],
}

DRIVER_LOCATION: Example = {
    "latitude": 30.2698,
    "longitude": -97.7402,
    "recordedAt": "2026-01-31T18:31:20Z",
    "ageSeconds": 4,
}

ONBOARDING: Example = {
    "accountId": "acct_1QXyZ2eZvKYlo2C0",
    "url": "https://connect.stripe.com/setup/e/acct_1QXyZ2eZvKYlo2C0/Ab3dEf6hIjKl",
    "expiresAt": "2026-01-31T18:05:00Z",
    "detailsSubmitted": False,
    "payoutsEnabled": False,
}

ACCOUNT: Example = {
    "accountId": "acct_1QXyZ2eZvKYlo2C0",
    "detailsSubmitted": True,
    "payoutsEnabled": False,
    "requirementsDue": ["individual.verification.document"],
    "disabledReason": "requirements.past_due",
}

PLACED: Example = {
    "id": _ORDER,
    "orderNumber": "RND-20260131-0001",
    "status": "pending",
    **PRICE,
    "currency": "usd",
    "promoCode": None,
    "deliveryProof": "code",
    "deliveryCode": "4711",
    "clientSecret": "pi_3Nabc_secret_def",
}

ORDER: Example = {
    "id": _ORDER,
    "orderNumber": "RND-20260131-0001",
    "status": "preparing",
    "customerId": _CUSTOMER,
    "chefId": _CHEF,
    "chefName": "Meena's Kitchen",
    "driverId": None,
    "driverName": None,
    "items": [
        {
            "id": "0198c0de-0000-7000-8000-0000000000e1",
            "menuItemId": _DISH,
            "name": "Masala Dosa",
            "priceCents": 1000,
            "quantity": 2,
            "options": [],
            "specialInstructions": "not too hot",
        }
    ],
    **PRICE,
    "promisedTipCents": None,
    "refundedCents": 0,
    "currency": "usd",
    "promoCode": None,
    "deliveryAddress": {
        "line1": "950 Main St",
        "line2": None,
        "city": "Austin",
        "state": "TX",
        "postalCode": "78701",
        "country": "US",
        "latitude": 30.2755,
        "longitude": -97.7415,
    },
    "instructions": "The gate is open.",
    "scheduledFor": None,
    "estimatedReadyAt": "2026-01-31T18:25:00Z",
    "estimatedPickupAt": "2026-01-31T18:25:00Z",
    "estimatedDeliveryAt": "2026-01-31T18:34:00Z",
    "createdAt": "2026-01-31T18:00:00Z",
    "paidAt": "2026-01-31T18:01:00Z",
    "acceptedAt": "2026-01-31T18:03:00Z",
    "preparedAt": None,
    "assignedAt": None,
    "pickedUpAt": None,
    "nearDoorAt": None,
    "deliveredAt": None,
    "cancelledAt": None,
    "cancelledBy": None,
    "cancelReason": None,
    "deliveryProof": "code",
    "deliveryCode": "4711",
    "proof": None,
}

STEP: Example = {
    "sequence": 3,
    "status": "accepted",
    "actor": "chef",
    "createdBy": "0198c0de-0000-7000-8000-0000000000c2",
    "notes": None,
    "estimatedReadyAt": "2026-01-31T18:25:00Z",
    "estimatedPickupAt": "2026-01-31T18:25:00Z",
    "estimatedDeliveryAt": "2026-01-31T18:34:00Z",
    "createdAt": "2026-01-31T18:03:00Z",
}

STATUS: Example = {
    "orderId": _ORDER,
    "orderNumber": "RND-20260131-0001",
    "status": "accepted",
    "driverId": None,
    "estimatedReadyAt": "2026-01-31T18:25:00Z",
    "estimatedPickupAt": "2026-01-31T18:25:00Z",
    "estimatedDeliveryAt": "2026-01-31T18:34:00Z",
    "refundCents": None,
}

PREP_TIMES: Example = {
    "chefId": _CHEF,
    "ordersInHand": 1,
    "byMenu": [
        {
            "loadFrom": 1,
            "loadTo": 2,
            "observations": 34,
            "lateMinutes": 6.5,
            "lowMinutes": 1.2,
            "highMinutes": 14.0,
            "errorMinutes": 3.1,
            "unlearnedErrorMinutes": 6.8,
        }
    ],
    "byWord": [
        {
            "loadFrom": 6,
            "loadTo": None,
            "observations": 0,
            "lateMinutes": None,
            "lowMinutes": None,
            "highMinutes": None,
            "errorMinutes": None,
            "unlearnedErrorMinutes": None,
        }
    ],
}

_ETA_ERRORS: Example = {
    "count": 812,
    "medianMinutes": 1.5,
    "lowMinutes": -6.0,
    "highMinutes": 11.5,
    "offMinutes": 4.0,
    "withinFive": 0.61,
}
ETA_QUALITY: Example = {
    "placed": _ETA_ERRORS,
    "accepted": {**_ETA_ERRORS, "offMinutes": 3.5, "withinFive": 0.66},
    "pickedUp": None,
}

_OFFERED: Example = {
    "orderId": _ORDER,
    "orderNumber": "RND-20260131-0001",
    "chefName": "Meena's Kitchen",
    "pickupAddress": "123 Main St, Austin, TX 78701",
    "pickupLatitude": 30.2672,
    "pickupLongitude": -97.7431,
    "deliveryLatitude": 30.2755,
    "deliveryLongitude": -97.7415,
    "earningCents": 500,
    "bonusCents": 200,
    "readyAt": "2026-01-31T18:25:00Z",
    "estimatedPickupTime": "2026-01-31T18:26:00Z",
    "estimatedDeliveryTime": "2026-01-31T18:35:00Z",
}

OFFER: Example = _OFFERED | {
    "id": "0198c0de-0000-7000-8000-0000000000f1",
    "orders": [_OFFERED],
    "distanceKm": 0.4,
    "currency": "usd",
    "offeredAt": "2026-01-31T18:25:00Z",
    "expiresAt": "2026-01-31T18:25:30Z",
}

PHOTO: Example = {
    "orderId": _ORDER,
    "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "contentType": "image/jpeg",
    "bytes": 184320,
    "latitude": 30.2755,
    "longitude": -97.7415,
    "createdAt": "2026-01-31T18:34:00Z",
}

WAITING: Example = {
    "orderId": _ORDER,
    "orderNumber": "RND-20260131-0001",
    "status": "ready_for_pickup",
    "kitchenName": "Meena's Kitchen",
    "zones": ["85489e37fffffff"],
    "joinedAt": "2026-01-31T18:10:00Z",
    "waitedSeconds": 930,
    "readyAt": "2026-01-31T18:25:00Z",
    "radiusKm": 2.0,
    "bonusCents": 0,
    "heldUntil": None,
    "holdReason": None,
    "preferredDriverId": None,
    "preferredDriverName": None,
    "offer": {
        "id": "0198c0de-0000-7000-8000-0000000000f1",
        "driverId": "0198c0de-0000-7000-8000-0000000000d1",
        "driverName": "Amara",
        "distanceKm": 0.4,
        "offeredAt": "2026-01-31T18:25:10Z",
        "expiresAt": "2026-01-31T18:25:40Z",
    },
    "why": None,
}

COMPLAINT: Example = {
    "id": "0198c0de-0000-7000-8000-0000000000e1",
    "orderId": _ORDER,
    "status": "granted",
    "items": [{"orderItemId": "0198c0de-0000-7000-8000-0000000000b1", "quantity": 1}],
    "amountCents": 1080,
    "grantedCents": 1080,
    "reason": "missing_item",
    "note": "There was only one dosa.",
    "decisionNote": None,
    "decidedAt": None,
    "createdAt": "2026-01-31T19:00:00Z",
}

REFUND_REQUEST: Example = COMPLAINT | {
    "kind": "complaint",
    "askedBy": "0198c0de-0000-7000-8000-0000000000c1",
    "bearer": "chef",
    "decidedBy": None,
    "stripeRefundId": "re_3QEXAMPLE",
}

QUOTE: Example = {
    "lines": [
        {
            "code": "dish",
            "label": "Masala Dosa",
            "amountCents": 2000,
            "explanation": "2 x 1000 cents",
        },
        {
            "code": "delivery",
            "label": "Delivery",
            "amountCents": 500,
            "explanation": "500 cents for the first 5 km of 1.0 km",
        },
        {
            "code": "service_fee",
            "label": "Service fee",
            "amountCents": 0,
            "explanation": "0 % of 2000 cents for the dishes",
        },
        {
            "code": "tax",
            "label": "Tax",
            "amountCents": 160,
            "explanation": "8 % of 2000 cents for the dishes",
        },
        {
            "code": "tip",
            "label": "Tip",
            "amountCents": 0,
            "explanation": "all of it is the driver's",
        },
        {
            "code": "discount",
            "label": "Promo code WELCOME10",
            "amountCents": -200,
            "explanation": "10 % off the food",
        },
    ],
    "promo": {
        "applied": True,
        "code": "WELCOME10",
        "reason": None,
        "explanation": "10 % off the food",
    },
    **PRICE,
    "discountCents": 200,
    "totalCents": 2460,
    "currency": "usd",
    "estimatedDeliveryAt": "2026-01-31T18:34:00Z",
}

PROMO_CODE: Example = {
    "id": "0198c0de-0000-7000-8000-000000000091",
    "code": "WELCOME10",
    "discountType": "percent",
    "discountValue": 1000,
    "currency": "usd",
    "market": None,
    "minOrderCents": 1000,
    "maxDiscountCents": 1500,
    "maxUses": 500,
    "maxUsesPerCustomer": 1,
    "startsAt": None,
    "expiresAt": "2026-12-31T23:59:59Z",
    "isActive": True,
    "uses": 17,
    "createdAt": "2026-01-31T18:00:00Z",
}

DISPUTE: Example = {
    "id": "dp_1QabCdEfGhIjKlMn",
    "orderId": _ORDER,
    "orderNumber": "RND-20260131-0001",
    "tipChargeId": None,
    "amountCents": 2660,
    "currency": "usd",
    "reason": "product_not_received",
    "status": "needs_response",
    "inquiry": False,
    "evidenceDueBy": "2026-02-08T23:59:59Z",
    "evidenceSubmittedAt": None,
    "conceded": False,
    "fault": None,
    "withdrawnCents": 2660,
    "reinstatedCents": 0,
    "outcome": None,
    "openedAt": "2026-01-31T20:10:00Z",
    "closedAt": None,
}

DISPUTE_DETAILS: Example = {
    **DISPUTE,
    "evidence": {
        "access_activity_log": "Delivered by our driver Sam on 2026-01-31 18:34:00 UTC to 123 Main"
        " St, Austin, TX 78701, US.",
        "customer_name": "Casey Morgan",
        "customer_email_address": "customer@example.com",
        "service_date": "2026-01-31",
    },
}

EARNING: Example = {
    "id": "0198c0de-0000-7000-8000-0000000000e1",
    "orderId": _ORDER,
    "orderNumber": "RND-20260131-0001",
    "event": "earned",
    "earningCents": 1601,
    "currency": "usd",
    "payoutId": "0198c0de-0000-7000-8000-0000000000b1",
    "payoutStatus": "paid",
    "earnedAt": "2026-01-31T19:02:11Z",
}

PAYOUT: Example = {
    "id": "0198c0de-0000-7000-8000-0000000000b1",
    "payeeKind": "chef",
    "payeeId": "0198c0de-0000-7000-8000-000000000001",
    "market": "austin",
    "date": "2026-01-31",
    "currency": "usd",
    "totalPaidCents": 1601,
    "status": "paid",
    "failure": None,
    "stripeTransferId": "tr_1QabCdEfGhIjKlMn",
    "stripePayoutId": "po_1QabCdEfGhIjKlMn",
    "createdAt": "2026-02-01T10:00:00Z",
    "transferredAt": "2026-02-01T10:00:01Z",
    "settledAt": "2026-02-03T09:30:00Z",
    "isHeld": False,
    "earnings": [EARNING],
}

PAYOUT_RUN: Example = {
    "workflowId": "payout-run-2026-01-31-austin",
    "market": "austin",
    "date": "2026-01-31",
}

PAYOUT_STANDING: Example = {
    "market": "austin",
    "date": "2026-01-31",
    "currency": "usd",
    "standings": [{"status": "paid", "payouts": 17, "cents": 48030}],
}

PAYOUT_HOLD: Example = {
    "payeeKind": "chef",
    "payeeId": "0198c0de-0000-7000-8000-000000000001",
    "held": True,
    "payoutStatus": "claimed",
}

ACCOUNT_BALANCE: Example = {
    "account": "stripe_clearing",
    "currency": "usd",
    "debitCents": 2660,
    "creditCents": 1708,
    "balanceCents": 952,
}

MOVEMENT: Example = {
    "id": "0198c0de-0000-7000-8000-0000000000f1",
    "key": f"order-{_ORDER}:capture",
    "event": "capture",
    "orderId": _ORDER,
    "payoutId": None,
    "stripeId": "pi_1QabCdEfGhIjKlMn",
    "note": None,
    "bookedAt": "2026-01-31T18:20:03Z",
    "postings": [
        {"account": "stripe_clearing", "currency": "usd", "amountCents": 2660},
        {"account": "customer_deposits", "currency": "usd", "amountCents": -2660},
    ],
}

CASE: Example = {
    "id": "0198c0de-0000-7000-8000-0000000000ca",
    "kind": "charge_without_order",
    "status": "open",
    "stripeTransactionId": "txn_1QabCdEfGhIjKlMn",
    "movementId": None,
    "orderId": None,
    "amountCents": 2660,
    "expectedCents": None,
    "currency": "usd",
    "details": {"source": "ch_1QabCdEfGhIjKlMn"},
    "openedAt": "2026-02-01T08:30:05Z",
    "resolvedHow": None,
    "closedBy": None,
    "closeReason": None,
    "closedAt": None,
}

DRIVER: Example = {
    "id": "0198c0de-0000-7000-8000-0000000000d1",
    "userId": "0198c0de-0000-7000-8000-0000000000c2",
    "firstName": "Diego",
    "lastName": "Alvarez",
    "email": "driver@example.com",
    "phone": None,
    "vehicle": {"type": "car", "plate": "KLM 4821", "capacity": 3, "reachKm": 15.0},
    "verificationStatus": "approved",
    "verificationReason": "all documents seen",
    "documentsExpireOn": "2027-06-30",
    "isAvailable": True,
    "onDutySince": "2026-01-31T17:02:11Z",
    "rating": 4.9,
    "load": 1,
    "deliveries": 412,
    "performance": {
        "offers": 100,
        "acceptance": 0.87,
        "onTimePickup": 0.94,
        "onTimeDelivery": 0.91,
        "completion": 0.99,
    },
    "createdAt": "2025-11-03T09:12:40Z",
}

DRIVER_DOCUMENT: Example = {
    "id": "0198c0de-0000-7000-8000-0000000000d7",
    "type": "driving_licence",
    "fileUrl": "https://files.example.com/licence.jpg",
    "expiresOn": "2029-06-30",
    "status": "approved",
    "reason": None,
    "decidedAt": "2025-11-04T10:00:00Z",
    "createdAt": "2025-11-03T09:20:00Z",
}

DRIVER_PROFILE: Example = {
    **DRIVER,
    "missingDocuments": [],
    "documents": [DRIVER_DOCUMENT],
    "shiftEndsAt": "2026-01-31T22:00:00Z",
}
