"""What partners' webhooks look like, for the readers of the OpenAPI document."""

from api.examples import Example

_ENDPOINT = "0198c0de-0000-7000-8000-0000000000e7"
_DELIVERY = "0198c0de-0000-7000-8000-0000000000e8"

NEW: Example = {
    "url": "https://till.example.com/ridendine",
    "eventTypes": ["order.created", "order.cancelled"],
    "description": "the till at the counter",
}

WEBHOOK: Example = {
    "id": _ENDPOINT,
    "chefId": "0198c0de-0000-7000-8000-000000000001",
    **NEW,
    "enabled": True,
    "disabledAt": None,
    "disabledBecause": None,
    "failingSince": None,
    "rotatedAt": None,
    "createdAt": "2026-01-31T18:00:00Z",
}

WITH_SECRET: Example = {**WEBHOOK, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwq9Yh0b3eXyA="}

DELIVERY: Example = {
    "id": _DELIVERY,
    "webhookId": _ENDPOINT,
    "eventType": "order.created",
    "orderId": "0198c0de-0000-7000-8000-00000000000a",
    "payload": {
        "type": "order.created",
        "timestamp": "2026-01-31T18:00:00Z",
        "data": {"orderNumber": "RND-20260131-0001", "status": "payment_confirmed"},
    },
    "status": "pending",
    "attempts": 1,
    "lastStatus": 503,
    "lastError": "answered 503",
    "nextAttemptAt": "2026-01-31T18:00:06Z",
    "createdAt": "2026-01-31T18:00:00Z",
    "deliveredAt": None,
    "tries": [
        {
            "number": 1,
            "status": 503,
            "error": "answered 503",
            "answer": "come back later",
            "milliseconds": 41,
            "attemptedAt": "2026-01-31T18:00:01Z",
        }
    ],
}
