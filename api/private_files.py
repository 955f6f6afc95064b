"""Links to private files: good for some minutes, for whoever has them, without a token."""

import hashlib
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import NamedTuple

from itsdangerous import BadData, URLSafeSerializer

from api.errors import Problem, not_found
from settings import Settings


class PrivateFile(NamedTuple):
    """A file by its key in the storage, what it is, and until when it may be seen."""

    key: str
    content_type: str
    until: datetime


class Link(NamedTuple):
    """Where on this host a private file is to be seen, and until when."""

    url: str
    expires_at: datetime


def link(settings: Settings, key: str, content_type: str, at: datetime) -> Link:
    """A link to a private file, for somebody who may see it at the moment `at`."""
    until = at.replace(microsecond=0) + timedelta(minutes=settings.private_link_minutes)
    token = _signer(settings).dumps([key, content_type, int(until.timestamp())])
    return Link(f"/api/v1/files/{token}", until)


def linked(settings: Settings, token: str, at: datetime) -> PrivateFile:
    """The file that a link leads to.

    Raises Problem: not_found for a link that is none of ours, link_expired for an old one.
    """
    try:
        key, content_type, until = _signer(settings).loads(token)
    except BadData as forged:
        raise not_found("file") from forged
    file = PrivateFile(key, content_type, datetime.fromtimestamp(until, UTC))
    if file.until <= at:
        raise Problem(
            HTTPStatus.NOT_FOUND, "link_expired", "the link is too old: ask for another one"
        )
    return file


def _signer(settings: Settings) -> URLSafeSerializer:
    return URLSafeSerializer(
        settings.jwt_secret.get_secret_value(),
        # So that nothing else that is signed with the secret is a link.
        salt="private file",
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
    )
