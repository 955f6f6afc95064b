"""What devices and what was told look like, for the readers of the OpenAPI document."""

from api.examples import Example

# A key of nobody's, and sixteen bytes.
PUBLIC_KEY = (
    "BMYwrb_-iPpCZooi0DlfnTBqsasUTAVgTdwQkZD0hagzh7J2KsCZUK_-FSq_E-IsAk0tfTDflZQtk20xiSQwXVk"
)

SUBSCRIPTION: Example = {
    "endpoint": "https://updates.push.services.mozilla.com/wpush/v2/gAAAAABm",
    "expirationTime": None,
    "keys": {
        "p256dh": PUBLIC_KEY,
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    },
}

DEVICE_BODY: Example = {
    "subscription": SUBSCRIPTION,
    "platform": "web",
    "label": "Firefox on my laptop",
}

DEVICE: Example = {
    "id": "0198c0de-0000-7000-8000-0000000000de",
    "kind": "web_push",
    "platform": "web",
    "label": "Firefox on my laptop",
    "createdAt": "2026-01-31T18:00:00Z",
    "lastSeenAt": "2026-01-31T18:00:00Z",
    "isReached": True,
    "reason": None,
}
