"""Pages on which operators read tables: /admin/db, by sqladmin.

For admins alone, who log in there by mail and password. Nothing is written: there are no forms, the
connection is a read-only one, and what would let somebody in or speak for somebody is left out.
"""

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, ClassVar
from uuid import UUID

from fastapi import FastAPI
from sqladmin import Admin, ModelView
from sqladmin.authentication import AuthenticationBackend
from sqlalchemy import inspect
from sqlalchemy.exc import StatementError
from sqlmodel import SQLModel
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api import logins
from api.clients import client_of
from api.dependencies import Services
from api.errors import Problem
from schema import tables
from schema.queries import people
from schema.tables import Role

PATH = "/admin/db"

# What a column's name says when it would let somebody in, or speak for somebody; tables of others
# are found by it, too.
_SECRET = re.compile(r"password|secret|token|digest|hash|otp|payload|(^|_)(keys?|codes?|auth)$")
# What sounds like it and is harmless.
_HARMLESS = frozenset(
    {
        ("admin_actions", "business_key"),
        ("ledger_accounts", "code"),
        ("ledger_movements", "key"),
        ("notifications", "business_key"),
        ("orders", "delivery_postal_code"),
        ("orders", "promo_code"),
        ("promo_codes", "code"),
    }
)
# Lists, and what one row looks like; the rest of sqladmin is about writing, and about files.
_PAGES = frozenset(
    {"statics", "index", "list", "details", "create", "edit", "delete", "login", "logout"}
)
_LONGEST_WORD = 500


class _ReadOnly(ModelView):
    can_create: ClassVar[bool] = False
    can_edit: ClassVar[bool] = False
    can_delete: ClassVar[bool] = False
    can_export: ClassVar[bool] = False
    can_import: ClassVar[bool] = False
    page_size: ClassVar[int] = 25

    async def get_object_for_details(self, request: Request) -> Any:
        """The row of the path; None where its key could not even be one."""
        try:
            return await super().get_object_for_details(request)
        except (StatementError, ValueError):
            return None


class _Doorman(AuthenticationBackend):
    """Lets admins in, for a while; whoever is no admin any more is out at once."""

    def __init__(self, held: Services) -> None:
        settings = held.settings
        self._held = held
        self._lasts = timedelta(minutes=settings.admin_session_minutes)
        # Not the key itself: what it signs here must be good for nothing else.
        secret = f"{PATH}:{settings.jwt_secret.get_secret_value()}"
        self.middlewares = [
            Middleware(
                SessionMiddleware,
                secret_key=hashlib.sha256(secret.encode()).hexdigest(),
                session_cookie="ridendine_admin",
                max_age=int(self._lasts.total_seconds()),
                path=PATH,
                same_site="strict",
                https_only=settings.public_base_url.startswith("https:"),
            )
        ]

    async def login(self, request: Request) -> Response | bool:
        """Let an admin in by mail and password."""
        form = await request.form()
        said = [form.get("username"), form.get("password")]
        words = [word for word in said if isinstance(word, str) and _is_storable(word)]
        if len(words) != len(said):
            return False
        try:
            login, _ = await logins.proven(self._held, client_of(request), *words)
        except Problem:
            return False
        if login.role is not Role.ADMIN:
            return False
        request.session.clear()
        request.session.update(
            {
                "user": str(login.id),
                "since": datetime.now(UTC).isoformat(),
                "by": _fingerprint(login.password_hash),
            }
        )
        return _to("/")

    async def logout(self, request: Request) -> Response:
        """Forget who he was."""
        request.session.clear()
        return _to("/login")

    async def authenticate(self, request: Request) -> Response | bool:
        """Whether the caller is an admin who has logged in not too long ago."""
        session = request.session
        if {"user", "since", "by"} <= set(session):
            since = datetime.fromisoformat(session["since"])
            if datetime.now(UTC) - since < self._lasts:
                async with self._held.database.read() as reading:
                    login = await people.login_of(reading, UUID(session["user"]))
                if login is not None and login.role is Role.ADMIN:
                    # Another password ends this, too.
                    return bool(session["by"] == _fingerprint(login.password_hash))
        session.clear()
        return _to("/login")


def install(app: FastAPI, held: Services) -> None:
    """Put the pages on the application, with the database that it has."""
    admin = Admin(
        app,
        held.database.engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        ),
        base_url=PATH,
        title="RideNDine",
        authentication_backend=_Doorman(held),
    )
    router = admin.admin.router
    router.routes = [route for route in router.routes if getattr(route, "name", "") in _PAGES]
    for view in _views():
        admin.add_view(view)


def hidden(table: str, column: str) -> bool:
    """Whether nobody sees a column there."""
    return bool(_SECRET.search(column)) and (table, column) not in _HARMLESS


def _views() -> Iterator[type[ModelView]]:
    for name in sorted(tables.__all__):
        model = getattr(tables, name)
        if not (isinstance(model, type) and issubclass(model, SQLModel)):
            continue
        mapper: Any = inspect(model)
        table = str(model.__tablename__)
        # The address of a row has its key in it.
        if any(hidden(table, column.name) for column in mapper.primary_key):
            continue
        shown = [c.key for c in mapper.columns if not hidden(table, c.name)]
        yield type(
            f"{name}Page",
            (_ReadOnly,),
            {
                "column_list": shown,
                "column_details_list": shown,
                "column_sortable_list": shown,
                "name_plural": table,
                "name": name,
            },
            model=model,
        )


def _fingerprint(password_hash: str) -> str:
    return hashlib.sha256(password_hash.encode()).hexdigest()


def _is_storable(word: str) -> bool:
    return len(word) <= _LONGEST_WORD and "\x00" not in word


def _to(page: str) -> Response:
    """To another page of these, wherever the request claims that they are."""
    return RedirectResponse(PATH + page, status_code=HTTPStatus.SEE_OTHER)
