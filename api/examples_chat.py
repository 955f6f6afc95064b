"""What conversations look like, for the readers of the OpenAPI document."""

from api.examples import Example

_ORDER = "0198c0de-0000-7000-8000-00000000000a"

SEND: Example = {"text": "The gate is on the left, code 4521#.", "clientKey": "6f1c2a-7"}

MESSAGE: Example = {
    "id": "0198c0de-0000-7000-8000-0000000000e1",
    "orderId": _ORDER,
    "thread": "driver",
    "from": {"role": "customer", "name": "Casey"},
    "text": "The gate is on the left, code 4521#. Or call •••.",
    "wasMasked": True,
    "createdAt": "2026-01-31T18:20:00Z",
    "readAt": None,
}

ADMIN_MESSAGE: Example = {
    **MESSAGE,
    "senderId": "0198c0de-0000-7000-8000-0000000000c1",
    "recipientId": "0198c0de-0000-7000-8000-0000000000d2",
}

THREADS: list[Example] = [
    {
        "thread": "chef",
        "with": {"role": "chef", "name": "Meena's Kitchen"},
        "isOpen": False,
        "opensAt": "2026-01-31T17:40:00Z",
        "closesAt": "2026-01-31T18:15:00Z",
        "unread": 0,
    },
    {
        "thread": "driver",
        "with": {"role": "driver", "name": "Dana"},
        "isOpen": True,
        "opensAt": "2026-01-31T18:15:00Z",
        "closesAt": None,
        "unread": 1,
    },
]
