"""The stand-in as one web application: each provider's own paths below its name."""

import asyncio
import json
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import FastAPI, Form, Header, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from domain.social import Provider
from local.openid.logins import CLIENT_ID, Denied, Fault, Login, Logins
from local.openid.page import form_page, login_page

SLOW_SECONDS = 30.0

_AUTHORIZE = {
    Provider.GOOGLE: "/o/oauth2/v2/auth",
    Provider.FACEBOOK: "/v23.0/dialog/oauth",
    Provider.APPLE: "/auth/authorize",
}
_TOKEN = {
    Provider.GOOGLE: "/token",
    Provider.FACEBOOK: "/v23.0/oauth/access_token",
    Provider.APPLE: "/auth/token",
}
_KEYS = {Provider.GOOGLE: "/oauth2/v3/certs", Provider.APPLE: "/auth/keys"}
_ME = "/v23.0/me"


def create_app() -> FastAPI:
    """A stand-in of its own, that knows nobody yet."""
    app = FastAPI(title="Google, Facebook and Apple stand-in")
    logins = Logins()
    for provider in Provider:
        _serve(app, provider, logins)

    @app.get("/_control/clients")
    async def clients(request: Request) -> dict[str, dict[str, str]]:
        return logins.clients(str(request.base_url).rstrip("/"))

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    return app


def _serve(app: FastAPI, provider: Provider, logins: Logins) -> None:
    root = f"/{provider}"

    @app.get(root + _AUTHORIZE[provider])
    async def authorize(request: Request) -> Response:
        return _authorized(provider, logins, dict(request.query_params))

    @app.post(root + _TOKEN[provider])
    async def token(
        request: Request,
        code: Annotated[str, Form()] = "",
    ) -> Response:
        login = logins.about(code)
        if login is not None and (broken := await _broken(login)):
            return broken
        form = {name: str(value) for name, value in (await request.form()).items()}
        try:
            return JSONResponse(logins.exchange(provider, form, _issuer(request, provider)))
        except Denied as denied:
            return JSONResponse({"error": str(denied)}, 400)

    if provider in _KEYS:

        @app.get(root + _KEYS[provider])
        async def keys() -> dict[str, Any]:
            return {"keys": [logins.key.public()]}

        @app.get(root + "/.well-known/openid-configuration")
        async def discovery(request: Request) -> dict[str, Any]:
            issuer = _issuer(request, provider)
            return {
                "issuer": issuer,
                "authorization_endpoint": issuer + _AUTHORIZE[provider],
                "token_endpoint": issuer + _TOKEN[provider],
                "jwks_uri": issuer + _KEYS[provider],
                "code_challenge_methods_supported": ["S256"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }

    else:

        @app.get(root + _ME)
        async def me(authorization: Annotated[str, Header()] = "") -> Response:
            said = logins.who(authorization.removeprefix("Bearer "))
            if said is None:
                return JSONResponse({"error": {"type": "OAuthException", "code": 190}}, 400)
            return JSONResponse(said)


def _authorized(provider: Provider, logins: Logins, asked: dict[str, str]) -> Response:
    wrong = _refused(asked)
    if wrong is not None:
        return wrong
    if "as" not in asked:
        return HTMLResponse(login_page(provider, asked))
    redirect_uri, state = asked["redirect_uri"], asked.get("state", "")
    if not asked["as"]:
        # As a browser comes back when somebody has changed his mind.
        return _sent_back(asked, redirect_uri, {"state": state, "error": "access_denied"})
    login = Login(
        provider=provider,
        email=asked["as"],
        is_verified=asked.get("verified") == "1",
        first_name=asked.get("first_name", ""),
        last_name=asked.get("last_name", ""),
        redirect_uri=redirect_uri,
        challenge=asked["code_challenge"],
        nonce=asked.get("nonce"),
        fault=Fault(asked.get("fault", "")),
    )
    answer = {"state": state, "code": logins.code(login)}
    if provider is Provider.APPLE and login.first_name:
        name = {"firstName": login.first_name, "lastName": login.last_name}
        answer["user"] = json.dumps({"name": name, "email": login.email})
    return _sent_back(asked, redirect_uri, answer)


def _refused(asked: dict[str, str]) -> Response | None:
    """What a provider tells a person instead of sending him back with it."""
    needed = {"redirect_uri", "state", "scope", "code_challenge"}
    if asked.get("client_id") != CLIENT_ID or not needed <= set(asked):
        return JSONResponse({"error": "invalid_request"}, 400)
    if (asked.get("response_type"), asked.get("code_challenge_method")) != ("code", "S256"):
        return JSONResponse({"error": "unsupported_response_type"}, 400)
    return None


def _sent_back(asked: dict[str, str], redirect_uri: str, answer: dict[str, str]) -> Response:
    if asked.get("response_mode") == "form_post":
        return HTMLResponse(form_page(redirect_uri, answer))
    return RedirectResponse(f"{redirect_uri}?{urlencode(answer)}", 302)


async def _broken(login: Login) -> Response | None:
    fault = login.fault
    if fault is Fault.DOWN_ONCE:
        login.fault = Fault.NONE
    if fault is Fault.SLOW:
        await asyncio.sleep(SLOW_SECONDS)
    if fault in {Fault.DOWN, Fault.DOWN_ONCE}:
        return JSONResponse({"error": "temporarily_unavailable"}, 503)
    if fault is Fault.NOT_JSON:
        return HTMLResponse("<h1>We will be back soon</h1>")
    return None


def _issuer(request: Request, provider: Provider) -> str:
    return f"{str(request.base_url).rstrip('/')}/{provider}"
