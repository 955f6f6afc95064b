"""What logging in from elsewhere looks like."""

from api.examples import Example

_STATE = "mXbQ0kSn7yHqkq1n8oWJt1rYJb0yq0mF2cB3b1w5m1E"
_BINDING = "9oJ4s1rT2kYw0cVxq6h3m8u5z7bNfLpQeWdGaCiKsRt"

STARTING: Example = {"redirectUri": "ridendine://login"}

STARTED: Example = {
    "authorizationUrl": f"https://accounts.google.com/o/oauth2/v2/auth?client_id=…&state={_STATE}…",
    "state": _STATE,
    "binding": _BINDING,
    "expiresIn": 600,
}

LOGIN: Example = {
    "provider": "google",
    "code": "4-0AVMBsJh1cQ2rZ",
    "state": _STATE,
    "binding": _BINDING,
}

POSTED_BACK: Example = {
    "state": _STATE,
    "code": "c6a8e1d0b2f94.0.rrwv.Zt3m5vYw8rC1kQ0s",
    "user": '{"name": {"firstName": "Casey", "lastName": "Morgan"}}',
}

LINK: Example = {"linkToken": "Zt3m5vYw8rC1kQ0sN7xB4hJ6uL2pA9eD"}

IDENTITIES: Example = {
    "hasPassword": True,
    "identities": [
        {
            "provider": "google",
            "email": "customer@example.com",
            "linkedAt": "2026-01-31T18:00:00Z",
        }
    ],
}
