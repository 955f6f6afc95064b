"""People with connections of their own, and people who share them."""

import httpx

from local.people import Person


async def test_who_leaves_closes_only_his_own_connections() -> None:
    async with httpx.AsyncClient() as shared:
        await Person("http://127.0.0.1:1", "a@example.com", http=shared).leave()
        assert not shared.is_closed


async def test_everybody_says_who_he_is_over_shared_connections() -> None:
    heard: list[tuple[str, str | None]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        heard.append((str(request.url), request.headers.get("Authorization")))
        return httpx.Response(200, json={})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as shared:
        first = Person("http://api.test", "a@example.com", http=shared)
        other = Person("http://api.test", "b@example.com", http=shared)
        first.use_token("one")
        other.use_token("two")
        await first.get("/orders", status="pending")
        await other.post("/orders", key="k")
    assert heard == [
        ("http://api.test/api/v1/orders?status=pending", "Bearer one"),
        ("http://api.test/api/v1/orders", "Bearer two"),
    ]
