"""What has to be there before facade and workers can start, and how one knows that all is ready."""

import asyncio
import base64
import json
import secrets
from collections.abc import Mapping
from pathlib import Path

import asyncpg
import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from sqlalchemy import make_url
from stripe import StripeClient
from temporalio.client import Client
from temporalio.service import RPCError

from local import city, payees, ports
from local.processes import Running
from schema.migrate import migrate

# Where a server says itself that it is ready.
_HEALTH = {
    "api": ("API_URL", "/readyz"),
    "stripe": ("STRIPE_API_BASE", "/healthz"),
    "post": ("INBOX_URL", "/healthz"),
    "maps": ("GOOGLE_MAPS_BASE_URL", "/healthz"),
    "openid": ("OPENID_URL", "/healthz"),
}


def everything(home: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Database, demo city, secrets, webhook endpoints; answers with the secrets as variables."""
    asyncio.run(_database(environment["DATABASE_URL"]))
    if environment.get("STRIPE_API_BASE"):
        # Before anybody listens: what was always so is no news.
        asyncio.run(
            payees.onboard(
                environment["DATABASE_URL"],
                environment["STRIPE_API_KEY"],
                environment["STRIPE_API_BASE"],
            )
        )
    made = secrets_of(home)
    if "JWT_SECRET" not in environment:
        made["JWT_SECRET"] = secrets.token_urlsafe(32)
    if "JWT_PRIVATE_KEY" not in environment:
        made["JWT_PRIVATE_KEY"] = new_key()
    if "API_URL" in environment and environment.get("STRIPE_API_BASE"):
        made |= _webhook_endpoints(home, environment, made)
    if environment.get("OPENID_URL"):
        # As an operator registers at each of them, and is told his keys.
        registered = httpx.get(f"{environment['OPENID_URL']}/_control/clients")
        made["SOCIAL_PROVIDERS"] = registered.raise_for_status().text
    if "VAPID_PRIVATE_KEY" not in environment:
        made.setdefault("VAPID_PRIVATE_KEY", new_vapid_key())
    if environment.get("INBOX_URL"):
        account = httpx.get(f"{environment['INBOX_URL']}/_control/service-account")
        made["FCM_SERVICE_ACCOUNT"] = account.raise_for_status().text
        signing = httpx.get(f"{environment['INBOX_URL']}/_control/sendgrid/key")
        made["SENDGRID_WEBHOOK_KEY"] = signing.raise_for_status().text
    path = _secrets_file(home)
    path.touch(mode=0o600)
    path.write_text(json.dumps(made))
    return made


def new_key() -> str:
    """A key that signs access tokens, on one line."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    written = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return base64.b64encode(written).decode()


def new_vapid_key() -> str:
    """A key that signs pushes to browsers."""
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return base64.urlsafe_b64encode(number.to_bytes(32)).rstrip(b"=").decode()


def secrets_of(home: Path) -> dict[str, str]:
    """The secrets that were made for this home."""
    path = _secrets_file(home)
    made: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return made


def is_ready(started: Running, environment: Mapping[str, str]) -> bool:
    """Whether a server that was started does its work."""
    if not all(ports.answers(port) for port in started.ports.values()):
        return False
    if started.name in _HEALTH:
        address, path = _HEALTH[started.name]
        return _is_ok(environment[address] + path)
    if started.name == "temporal":
        return asyncio.run(_temporal_serves(environment["TEMPORAL_ADDRESS"]))
    if started.name == "worker":
        ready = Path(environment["WORKER_READY_FILE"])
        return ready.exists() and ready.read_text() == str(started.pid)
    return True


async def _database(url: str) -> None:
    await _create_if_missing(url)
    await migrate(url)
    await city.settle(url)


async def _create_if_missing(url: str) -> None:
    address = make_url(url)
    try:
        connection = await _patiently(url)
    except asyncpg.InvalidCatalogNameError:
        maintenance = address.set(database="postgres").render_as_string(hide_password=False)
        connection = await _patiently(maintenance)
        await connection.execute(f'CREATE DATABASE "{address.database}"')
    await connection.close()


async def _patiently(url: str) -> asyncpg.Connection:
    """A connection, once the server has recovered from however it ended last time."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await asyncpg.connect(url)
            except asyncpg.CannotConnectNowError:
                await asyncio.sleep(0.05)


def _webhook_endpoints(
    home: Path, environment: Mapping[str, str], known: Mapping[str, str]
) -> dict[str, str]:
    """Have Stripe's stand-in send us its events; each secret is told once, at creation.

    Events of ours and of connected accounts go to two endpoints, as at Stripe.
    """
    endpoints = StripeClient(
        environment["STRIPE_API_KEY"], base_addresses={"api": environment["STRIPE_API_BASE"]}
    ).v1.webhook_endpoints
    url = f"{environment['API_URL']}/api/v1/webhooks/stripe"
    made: dict[str, str] = {}
    for secret, description, connect in (
        ("STRIPE_WEBHOOK_SECRET", f"RideNDine on this machine, in {home}", False),
        ("STRIPE_CONNECT_WEBHOOK_SECRET", f"Payees of RideNDine on this machine, in {home}", True),
    ):
        ours = [
            endpoint
            for endpoint in endpoints.list({"limit": 100}).auto_paging_iter()
            if endpoint.description == description
        ]
        if known.get(secret) and [endpoint.url for endpoint in ours] == [url]:
            continue
        for endpoint in ours:
            endpoints.delete(endpoint.id)
        endpoint = endpoints.create(
            {
                "url": url,
                "enabled_events": ["*"],
                "description": description,
                "connect": connect,
            }
        )
        made[secret] = endpoint.secret or ""
    return made


async def _temporal_serves(address: str) -> bool:
    try:
        client = await Client.connect(address)
        return await client.service_client.check_health()
    except (RPCError, RuntimeError):
        return False


def _is_ok(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).is_success
    except httpx.TransportError:
        return False


def _secrets_file(home: Path) -> Path:
    return home / "secrets.json"
