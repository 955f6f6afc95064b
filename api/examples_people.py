"""What people's own things look like, for the readers of the OpenAPI document."""

from api.examples import Example

PROFILE: Example = {
    "id": "0198c0de-0000-7000-8000-0000000000c1",
    "email": "customer@example.com",
    "role": "customer",
    "isVerified": True,
    "firstName": "Casey",
    "lastName": "Morgan",
    "phone": "+15125550123",
    "locale": "en-US",
    "language": "en",
    "avatarUrl": None,
    "createdAt": "2026-01-31T18:00:00Z",
    "deletion": None,
}

DELETION: Example = {
    "requestedAt": "2026-01-31T18:00:00Z",
    "eraseAt": "2026-03-02T18:00:00Z",
}

ADDRESS_BODY: Example = {
    "label": "Home",
    "line1": "123 Main St",
    "line2": "Apt 4",
    "city": "Austin",
    "state": "TX",
    "postalCode": "78701",
    "country": "US",
    "isDefault": True,
}

ADDRESS: Example = {
    "id": "0198c0de-0000-7000-8000-0000000000ad",
    **ADDRESS_BODY,
    "latitude": 30.2672,
    "longitude": -97.7431,
    "createdAt": "2026-01-31T18:00:00Z",
}

_CHANNELS: Example = {"inApp": True, "email": False, "sms": False, "push": True}

PREFERENCES: Example = {
    "events": {
        "orders": _CHANNELS,
        "work": _CHANNELS,
        "money": {**_CHANNELS, "email": True, "push": False},
        "account": {**_CHANNELS, "email": True, "push": False},
        "promotions": {**_CHANNELS, "push": False},
    },
    "quietHours": {"from": "22:00", "until": "07:00", "timezone": "America/Chicago"},
}

PREFERENCES_KEPT: Example = {**PREFERENCES, "unreachable": ["sms"]}

NOTIFICATION: Example = {
    "id": "0198c0de-0000-7000-8000-0000000000aa",
    "type": "order:status_update",
    "title": "Order RND-20260131-0001",
    "message": "Your order is ready for pickup!",
    "isRead": False,
    "orderId": "0198c0de-0000-7000-8000-00000000000a",
    "createdAt": "2026-01-31T18:25:00Z",
}
