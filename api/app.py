"""The facade: `uvicorn --factory api.app:create_app --port 9001`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from http import HTTPStatus

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

import logs
from activities.market_terms import MarketTerms
from api import db_admin, errors, openapi
from api.dependencies import Services
from api.engine import Engine
from api.headers import SecurityHeaders
from api.keys import keyring
from api.limits import BodyLimit
from api.live import gateway
from api.live.connections import Severable
from api.live.hub import Hub
from api.locations import Locations
from api.rate_limits import FIELDS, RateLimited, RateLimits
from api.routes import (
    account,
    accounts,
    addresses,
    admin,
    admin_audit,
    admin_chefs,
    admin_drivers,
    admin_exports,
    admin_figures,
    admin_markets,
    admin_notifications,
    admin_users,
    admin_webhooks,
    auth,
    carts,
    chat,
    chef_board,
    chef_menus,
    chef_profile,
    chef_webhooks,
    chefs,
    delivery,
    devices,
    dispatch,
    disputes,
    driver_profile,
    earnings,
    estimates,
    files,
    health,
    key_set,
    kitchen,
    orders,
    payees,
    payments,
    payouts,
    pictures,
    promos,
    proofs,
    reconciliation,
    refunds,
    reviews,
    sendgrid_events,
    social,
    tracking,
    users,
    webhooks,
)
from providers import sendgrid_events as sendgrid
from providers import vapid
from providers.attempts import Attempts
from providers.live import Live
from providers.maps import Maps, TravelTimes
from providers.positions import Positions
from providers.redis import connect_redis
from providers.shut_outs import ShutOuts
from providers.social import Pending, SocialLogins
from providers.storage import Storage
from providers.stripe import Stripe
from schema.database import Database
from settings import Settings

DESCRIPTION = """
The door to RideNDine's order engine. Each order is one durable workflow; what is asked for here is
a message to it.

Names are camelCase, amounts integer cents, moments RFC 3339 in UTC. Whatever is not 2xx is an
`application/problem+json` with a stable `code`. A 503 with `Retry-After` may be sent again as it
is: the same request takes effect once (what takes an `Idempotency-Key`, surely only with one).
"""

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# No browser believes a preflight for longer.
_PREFLIGHT_SECONDS = 2 * 3600
# In one packet it is anyway; and the last percents of compression cost most of its time.
_SMALL_BYTES = 1024
_COMPRESSION = 5


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application, set up by the environment unless `settings` are given."""
    held = settings or Settings()
    logs.configure(held.log_level)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.services = services = await _connect(held)
        db_admin.install(app, services)
        async with gateway.open_to_clients(door, services):
            yield
        await services.maps.aclose()
        await services.travel.aclose()
        await services.stripe.aclose()
        await services.social.aclose()
        await services.redis.aclose()
        await services.database.close()

    app = FastAPI(
        title="RideNDine",
        version="1.0.0",
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url="/docs",
        redoc_url=None,
        generate_unique_id_function=openapi.operation_id,
        # A redirect would go to whatever host the request claims.
        redirect_slashes=False,
        middleware=_around(held),
    )
    errors.install(app)
    door = gateway.install(app)
    app.include_router(health.router)
    app.include_router(key_set.router)
    for routes in (
        auth,
        accounts,
        social,
        chefs,
        orders,
        tracking,
        carts,
        chat,
        payments,
        reviews,
        kitchen,
        chef_profile,
        chef_menus,
        chef_board,
        chef_webhooks,
        delivery,
        driver_profile,
        proofs,
        payees,
        earnings,
        payouts,
        refunds,
        admin_exports,
        admin_users,
        admin_figures,
        admin_markets,
        admin_audit,
        admin_notifications,
        admin_webhooks,
        admin,
        estimates,
        admin_drivers,
        admin_chefs,
        dispatch,
        promos,
        disputes,
        reconciliation,
        webhooks,
        sendgrid_events,
        pictures,
        users,
        devices,
        addresses,
        account,
        files,
    ):
        app.include_router(
            routes.router,
            prefix="/api/v1",
            # Otherwise FastAPI documents an error of its own form, which is never sent.
            responses=errors.problems(
                HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.TOO_MANY_REQUESTS
            ),
        )
    openapi.install(app)
    return app


def _around(settings: Settings) -> list[Middleware]:
    """What a request passes on its way in, and its answer on its way out, in this order.

    Every answer, whoever gives it, has the security headers; a browser's preflight is answered
    before it counts; what is too much is refused before its body is read; and whatever goes wrong
    is an answer by the time it gets here, so that a 413, 429 or 500 leaves as any other.
    """
    around = [Middleware(Severable), Middleware(SecurityHeaders, settings=settings)]
    if settings.cors_origins:
        around.append(
            Middleware(
                CORSMiddleware,
                allow_origins=settings.cors_origins,
                allow_methods=_METHODS,
                allow_headers=("Authorization", "Idempotency-Key", "Last-Event-ID"),
                expose_headers=FIELDS,
                max_age=_PREFLIGHT_SECONDS,
            )
        )
    return [
        *around,
        Middleware(GZipMiddleware, minimum_size=_SMALL_BYTES, compresslevel=_COMPRESSION),
        Middleware(RateLimited),
        Middleware(BodyLimit),
        Middleware(errors.Answered),
    ]


async def _connect(settings: Settings) -> Services:
    # A key that is none is noticed here, not at the first login, subscription or bounce.
    keyring(settings)
    if vapid_key := settings.vapid_private_key.get_secret_value():
        vapid.private_key(vapid_key)
    if sendgrid_key := settings.sendgrid_webhook_key.get_secret_value():
        sendgrid.public_key(sendgrid_key)
    redis = connect_redis(settings.redis_url)
    database = Database(settings.database_url, pool_size=settings.database_pool_size)
    positions = Positions(redis)
    live = Live(redis)
    return Services(
        settings=settings,
        database=database,
        redis=redis,
        rate_limits=RateLimits(settings.redis_url, redis),
        positions=positions,
        shut_outs=ShutOuts(redis, timedelta(minutes=settings.access_token_minutes), live),
        attempts=Attempts(redis, settings.attempts),
        locations=Locations(settings, database, positions, live),
        live=live,
        hub=Hub(live),
        maps=Maps(
            redis=redis,
            google_maps_api_key=settings.google_maps_api_key.get_secret_value(),
            google_maps_base_url=settings.google_maps_base_url,
            mapbox_access_token=settings.mapbox_access_token.get_secret_value() or None,
            mapbox_base_url=settings.mapbox_base_url,
            timeout_seconds=settings.maps_timeout_seconds,
        ),
        travel=TravelTimes.by_google(
            redis,
            api_key=settings.google_maps_api_key.get_secret_value(),
            base_url=settings.google_maps_base_url,
            timeout_seconds=settings.maps_timeout_seconds,
            city=settings.city,
            keep_for=timedelta(seconds=settings.travel_time_keep_seconds),
        ),
        social=SocialLogins(
            settings.social_providers, timeout_seconds=settings.social_timeout_seconds
        ),
        social_states=Pending(redis, "social-state", settings.social_login_seconds),
        social_links=Pending(redis, "social-link", settings.social_login_seconds),
        storage=Storage(settings.storage_url, timeout_seconds=settings.storage_timeout_seconds),
        stripe=Stripe(
            settings.stripe_api_key.get_secret_value(),
            api_base=settings.stripe_api_base,
            timeout_seconds=settings.stripe_timeout_seconds,
            max_network_retries=settings.stripe_max_network_retries,
        ),
        engine=await Engine.connected(
            MarketTerms(settings, database), timedelta(seconds=settings.engine_timeout_seconds)
        ),
    )
