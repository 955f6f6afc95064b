"""A process that dies at a certain point."""

from uuid import UUID

import pytest
from fastapi import FastAPI


def dies_once_a_suspension_is_written(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    """It tells of a suspension before it is written, and would again after it."""
    suspensions = app.state.services.engine.suspensions
    look, told = suspensions.look, 0

    async def once(user_id: UUID) -> None:
        nonlocal told
        told += 1
        if told > 1:
            raise RuntimeError("the process died here")
        await look(user_id)

    monkeypatch.setattr(suspensions, "look", once)
