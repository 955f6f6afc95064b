"""What the log of messages looks like, for the readers of the OpenAPI document."""

from api.examples import Example

RESEND: Example = {"reason": "the mail server had been set up wrongly"}

DELIVERY: Example = {
    "id": "0198c0de-0000-7000-8000-0000000000d1",
    "notificationId": "0198c0de-0000-7000-8000-0000000000d0",
    "userId": "0198c0de-0000-7000-8000-0000000000c1",
    "orderId": "0198c0de-0000-7000-8000-00000000000a",
    "occasion": "payment_confirmed",
    "title": "Order RND-20260131-0001",
    "channel": "email",
    "deviceId": None,
    "status": "dead",
    "dueAt": "2026-01-31T18:00:00Z",
    "attempts": 1,
    "resends": 0,
    "sentAt": None,
    "providerId": None,
    "error": "the mail server says 550",
    "createdAt": "2026-01-31T18:00:00Z",
}
