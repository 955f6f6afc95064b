"""A facade in the test's own process, with what it needs where the test wants it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api.app import create_app
from settings import Settings

AWAY = {
    "database": ("DATABASE_URL", "postgresql://ridendine@127.0.0.1:{port}/none"),
    "redis": ("REDIS_URL", "redis://127.0.0.1:{port}/0"),
    "temporal": ("TEMPORAL_ADDRESS", "127.0.0.1:{port}"),
}


@asynccontextmanager
async def facade(
    environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, **changes: Any
) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    """A facade in this process, with some of its settings changed."""
    changed = {**environment, **changes}
    monkeypatch.setenv("TEMPORAL_ADDRESS", changed["TEMPORAL_ADDRESS"])
    app = create_app(Settings.of(changed))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://facade") as http:
            yield app, http
