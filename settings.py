"""Every setting, from the environment: the field `payment_deadline_seconds` is the variable
PAYMENT_DEADLINE_SECONDS.

Temporal's own address, namespace, TLS and API key are read by its SDK (TEMPORAL_ADDRESS and the
like, or a profile): `temporalio.envconfig`.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Literal

from limits import RateLimitItem, parse, parse_many
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, InstanceOf, SecretStr
from pydantic_core import from_json
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from domain.attempts import Patience
from domain.dispatch.weights import Weights
from domain.dispatch.widening import Widening
from domain.dispatch.zones import Zoning
from domain.eta import City
from domain.kitchens import LEAST_RADIUS_KM, MOST_RADIUS_KM
from domain.pricing import Rates
from domain.proof import ProofKind
from domain.refunds import Rules
from domain.social import Client, Provider
from schema.messages.order import Terms

Positive = Annotated[int, Field(gt=0)]


def _address_or_nothing(value: str | None) -> str | None:
    return value or None


def _without_slash(address: str) -> str:
    return address.rstrip("/")


# Unset, or set to nothing as compose files do, means the real provider.
OptionalAddress = Annotated[str | None, AfterValidator(_address_or_nothing)]


def _written_out(value: object) -> object:
    """In an environment it is JSON."""
    return from_json(value) if isinstance(value, str) else value


# A driver is asked so long before he has to leave: he needs time to answer.
LIVE = Weights(commit_ahead=75.0, early=60.0, neighbours_m=400.0, fairness=0.05, freshness=0.5)


def _weighted(value: object) -> object:
    """What is not given stays as it is."""
    given = _written_out(value)
    return replace(LIVE, **given) if isinstance(given, dict) else given


def _listed(value: object) -> object:
    return _written_out(value or "[]")


def _named(value: object) -> object:
    return _written_out(value or "{}")


# As browsers write them: no path, no slash at the end.
Origin = Annotated[str, Field(pattern=r"^https?://[^/\s*]+$")]

# A page, or an address that an app on the phone opens, as in com.example.app:/login.
RedirectUri = Annotated[str, Field(pattern=r"^[a-z][a-z0-9+.-]*:/[^\s#]+$")]


def _rate(value: object) -> object:
    """`100/15 minutes`; nothing means no limit."""
    if not isinstance(value, str):
        return value
    if not value.strip():
        return None
    rate, *more = parse_many(value)
    if more or rate.amount < 1:
        raise ValueError("one limit, of at least one request")
    return rate


Rate = Annotated[InstanceOf[RateLimitItem] | None, BeforeValidator(_rate)]


class Market(BaseModel):
    """A city or region: its clock, its country (two letters), what things cost there, when (by its
    clock) and from how much on payees are paid, which complaints need no person, and how far (km)
    its kitchens deliver at most, whatever they say.
    """

    timezone: str = "America/Chicago"
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] = "US"
    rates: Rates = Rates()
    payout_cron: str = "0 4 * * *"
    payout_minimum_cents: int = Field(default=100, ge=0)
    refunds: Rules = Rules()
    most_service_radius_km: float = Field(
        default=MOST_RADIUS_KM, ge=LEAST_RADIUS_KM, le=MOST_RADIUS_KM
    )


class Settings(BaseSettings):
    """How this process is set up."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    # A simulated city's clock: so many of its minutes pass in one of ours.
    pace: float = Field(default=1.0, ge=1.0)

    database_url: str
    database_pool_size: Positive = 10
    redis_url: str
    # A folder, file:///…, or a bucket, s3://bucket/folder (credentials: providers.storage).
    storage_url: Annotated[str, Field(pattern="^(file:///|s3://)[!-~]+$")]
    storage_timeout_seconds: Positive = 10
    log_level: str = "INFO"
    # Where people's browsers find the facade.
    public_base_url: Annotated[str, AfterValidator(_without_slash)] = "http://127.0.0.1:9001"

    # Whose pages may call us from a browser: JSON, as in ["https://app.example.com"].
    cors_origins: Annotated[tuple[Origin, ...], NoDecode, BeforeValidator(_listed)] = ()
    # For how long browsers keep to https, where `public_base_url` has it; 0 does not ask for it.
    hsts_seconds: int = Field(default=365 * 24 * 3600, ge=0)
    # How often somebody may ask, in the notation of the library `limits`; empty is no limit. By
    # address, by account, and of positions by driver; login and codes by address; messages by who
    # writes them, in each order.
    rate_limit_anonymous: Rate = parse("100/15 minutes")
    rate_limit_signed_in: Rate = parse("1000/15 minutes")
    rate_limit_positions: Rate = parse("60/minute")
    rate_limit_auth: Rate = parse("10/minute")
    # Connections that are opened to hear what happens, by address: many may share one.
    rate_limit_live: Rate = parse("600/minute")
    # What one such connection may ask for: in the long run, and at once.
    live_messages_per_second: float = Field(default=10.0, gt=0)
    live_messages_at_once: Positive = 40
    # How many orders it may follow.
    live_orders: Positive = 100
    live_orders_of_admins: Positive = 1000
    # How many connections a user may have to one process, and how many events may wait for one.
    live_connections: Positive = 20
    live_backlog: Positive = 250
    rate_limit_messages: Rate = parse("10/10 seconds")

    # Signs what goes round by links and codes; access tokens have a key (api.keys says in which
    # form), and older ones, separated by commas, whose tokens are still good.
    jwt_secret: SecretStr = Field(min_length=32)
    jwt_private_key: SecretStr
    jwt_old_keys: SecretStr = SecretStr("")
    jwt_issuer: str = "ridendine"
    access_token_minutes: Positive = 15
    refresh_token_days: Positive = 7
    # How often a password or code may be tried: domain.attempts.
    attempts_free: Positive = 5
    attempts_free_to_client: Positive = 100
    attempts_first_wait_seconds: Positive = 15
    attempts_longest_wait_seconds: Positive = 15 * 60
    attempts_memory_seconds: Positive = 60 * 60

    # Where the app's own pages are, to which links in mails lead; the facade's address without it.
    app_base_url: OptionalAddress = None
    verification_seconds: Positive = 24 * 3600
    reset_seconds: Positive = 30 * 60
    code_seconds: Positive = 10 * 60
    # smtp://user:password@host:587, or smtps://…:465.
    smtp_url: SecretStr = SecretStr("")
    mail_from: str = "RideNDine <no-reply@localhost>"
    twilio_account_sid: str = ""
    twilio_auth_token: SecretStr = SecretStr("")
    twilio_from: str = ""
    twilio_base_url: OptionalAddress = None
    post_timeout_seconds: Positive = 20
    # With a key, mails go out by SendGrid's API instead of SMTP.
    sendgrid_api_key: SecretStr = SecretStr("")
    sendgrid_base_url: OptionalAddress = None
    # The key of SendGrid's signed Event Webhook, as its console shows it; without one, what becomes
    # of mails is not heard of.
    sendgrid_webhook_key: SecretStr = SecretStr("")
    # The service account of a Firebase project: the JSON file that its console hands out.
    fcm_service_account: SecretStr = SecretStr("")
    fcm_base_url: OptionalAddress = None
    # Web push (RFC 8292): our key, P-256, as PEM or as 32 bytes in base64url, and whom a push
    # service writes to about us (mailto:… or https://…). Without a key no browser is pushed to.
    vapid_private_key: SecretStr = SecretStr("")
    vapid_subject: str = ""
    # Whether pushes go to browsers' push services on private addresses and without TLS, too.
    web_push_anywhere: bool = False
    # For how long it is kept what became of messages.
    notification_deliveries_keep_days: Positive = 90
    # Where operators are told besides: a webhook that takes {"text": …}, and a mailing list.
    ops_webhook_url: SecretStr = SecretStr("")
    ops_email: str = ""

    # Where one may log in besides, as JSON: {"google": {"client_id": …, "client_secret": …}}
    # (domain.social.Client), and where in an app one may come back to.
    social_providers: Annotated[dict[Provider, Client], NoDecode, BeforeValidator(_named)] = {}
    social_redirect_uris: Annotated[
        tuple[RedirectUri, ...], NoDecode, BeforeValidator(_listed)
    ] = ()
    social_timeout_seconds: Positive = 10
    # How long somebody may take at the provider, and from there to his password.
    social_login_seconds: Positive = 10 * 60
    # How long an admin reads tables at /admin/db until he logs in again.
    admin_session_minutes: Positive = 60

    stripe_api_key: SecretStr
    stripe_api_base: OptionalAddress = None
    stripe_webhook_secret: SecretStr = SecretStr("")
    stripe_connect_webhook_secret: SecretStr = SecretStr("")
    stripe_timeout_seconds: Positive = 20
    stripe_max_network_retries: int = 2
    payment_activities_per_second: float = 25.0
    payout_activities_per_second: float = 25.0
    # How many payees a payout run is busy with at once.
    payout_parallel: Positive = 50

    google_maps_api_key: SecretStr = SecretStr("")
    google_maps_base_url: OptionalAddress = None
    mapbox_access_token: SecretStr = SecretStr("")
    mapbox_base_url: OptionalAddress = None
    maps_timeout_seconds: Positive = 5
    # How long a drive that a map was asked for is remembered.
    travel_time_keep_seconds: Positive = 7 * 24 * 3600
    # How fast drivers are where no map says so, and how long kitchen and door keep them.
    city_kmh: float = Field(default=30.0, gt=0)
    handover_seconds: Positive = 3 * 60

    markets: Annotated[dict[str, Market], BeforeValidator(_written_out)] = {"austin": Market()}

    capture_method: Literal["automatic", "manual"] = "automatic"
    payment_attempts: Positive = 3
    payment_deadline_seconds: Positive = 15 * 60
    chef_response_seconds: Positive = 5 * 60
    scheduled_lead_seconds: Positive = 15 * 60
    offer_seconds: Positive = 30
    dispatch_policy: Literal["matching", "nearest"] = "matching"
    # What the matching weighs (domain.dispatch.weights), as far as it is to be otherwise.
    dispatch_weights: Annotated[Weights, BeforeValidator(_weighted)] = LIVE
    dispatch_tick_seconds: Positive = 10
    dispatch_watch_seconds: Positive = 60
    dispatch_retry_seconds: Positive = 1
    # Not in step with offers and ticks.
    dispatch_rejoin_seconds: Positive = 67
    dispatch_patience_seconds: Positive = 5 * 60
    # How far back tells where orders are to be expected from.
    dispatch_evening_seconds: Positive = 3 * 3600
    dispatch_ask_again_seconds: Positive = 2 * 60
    dispatch_radii_km: Annotated[tuple[float, ...], Field(min_length=1)] = (2, 4, 7, 10, 15)
    dispatch_widen_seconds: Positive = 30
    # How long before the food is ready the search begins.
    dispatch_lead_seconds: Positive = 10 * 60
    dispatch_bonus_cents: int = Field(default=200, ge=0)
    # H3: cells of resolution 5 are some 250 km² each; those of a named zone are one.
    dispatch_zone_resolution: Annotated[int, Field(ge=0, le=15)] = 5
    dispatch_zones: Annotated[dict[str, tuple[str, ...]], BeforeValidator(_written_out)] = {}
    dispatch_border_km: float = Field(default=2.0, ge=0)
    dispatch_alert_seconds: Positive = 20 * 60
    dispatch_give_up_seconds: Positive = 30 * 60
    pickup_overdue_seconds: Positive = 20 * 60
    delivery_overdue_seconds: Positive = 15 * 60
    refund_overdue_seconds: Positive = 7 * 24 * 3600
    complaint_window_seconds: Positive = 24 * 3600
    tip_window_seconds: Positive = 24 * 3600
    # How long before it is due the evidence about a dispute goes off by itself.
    dispute_evidence_lead_seconds: Positive = 24 * 3600

    # UTC. What each of the three is, says schema.messages.reconciliation.Patience.
    reconciliation_cron: str = "30 8 * * *"
    reconciliation_overlap_seconds: Positive = 3 * 24 * 3600
    reconciliation_transaction_seconds: Positive = 10 * 60
    reconciliation_movement_seconds: Positive = 2 * 24 * 3600

    driver_capacity: Positive = 3
    # Whether a driver must be in one of his shifts to go on duty.
    drivers_need_shift: bool = False
    driver_fix_max_age_seconds: Positive = 300
    driver_dark_seconds: Positive = 300
    near_door_km: float = 0.3
    # What a position can be: no faster than this from the last one, no worse than so many metres.
    driver_max_kmh: float = Field(default=200.0, gt=0)
    driver_worst_accuracy_m: float = Field(default=300.0, gt=0)
    # The history has a position each so often, or each so many metres, and is kept for so long.
    driver_sample_seconds: Positive = 15
    driver_sample_m: float = Field(default=50.0, gt=0)
    driver_locations_keep_days: Positive = 30
    driver_locations_cron: str = "15 9 * * *"
    # How many posts of positions one process of the facade works on; others are sent away.
    locations_at_once: Positive = 32

    # What a customer who does not say is taken to want.
    delivery_proof: ProofKind = ProofKind.CODE
    proof_max_bytes: Positive = 5 * 1024 * 1024
    # Of people, kitchens and dishes.
    picture_max_bytes: Positive = 5 * 1024 * 1024
    # Opened, it takes four bytes a pixel, however small it was when it came.
    picture_max_pixels: Positive = 25_000_000
    # What chefs hand in, and for how long a link to such a private file is good.
    document_max_bytes: Positive = 10 * 1024 * 1024
    private_link_minutes: Positive = 15

    # What each of the three is, says schema.messages.erasure.ErasureTerms.
    erasure_grace_seconds: int = Field(default=30 * 24 * 3600, ge=0)
    erasure_look_again_seconds: Positive = 3600
    erasure_settle_seconds: int = Field(default=3600, ge=0)

    # What the secrets of partners' webhooks are derived from; `jwt_secret` without it.
    webhook_secret: SecretStr = SecretStr("")
    # Lets webhooks go to http and to addresses that are not public: on one's own machine only.
    webhook_private_targets: bool = False
    # How many messages to partners one worker sends at once, how many of them to one endpoint, and
    # for how long all are kept.
    webhooks_at_once: Positive = 50
    webhooks_at_once_to_each: Positive = 10
    webhook_deliveries_keep_days: Positive = 30

    engine_timeout_seconds: Positive = 10
    worker_deployment: str = "ridendine-orders"
    worker_build_id: str = ""
    worker_ready_file: str = ""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Settings":
        """The settings that a process with this environment has."""
        known = {name: environment.get(name.upper()) for name in cls.model_fields}
        return cls.model_validate({name: v for name, v in known.items() if v is not None})

    def lasting(self, name: str) -> timedelta:
        """How long something lasts by the city's clock; `name` without its `_seconds`."""
        return timedelta(seconds=getattr(self, f"{name}_seconds") / self.pace)

    @property
    def app_url(self) -> str:
        """Where links in mails lead."""
        return (self.app_base_url or self.public_base_url).rstrip("/")

    @property
    def partners_secret(self) -> str:
        """What the secrets of partners' webhooks are derived from."""
        return self.webhook_secret.get_secret_value() or self.jwt_secret.get_secret_value()

    @property
    def attempts(self) -> Patience:
        """How often a password or code may be tried."""
        return Patience(
            free=self.attempts_free,
            free_to_client=self.attempts_free_to_client,
            first_wait=timedelta(seconds=self.attempts_first_wait_seconds),
            longest_wait=timedelta(seconds=self.attempts_longest_wait_seconds),
            memory=timedelta(seconds=self.attempts_memory_seconds),
        )

    @property
    def dispute_evidence_lead(self) -> timedelta:
        """How long before it is due the evidence about a dispute goes off by itself."""
        return timedelta(seconds=self.dispute_evidence_lead_seconds)

    @property
    def city(self) -> City:
        """How fast the city drives, hands over, and lives."""
        handover = timedelta(seconds=self.handover_seconds)
        return City(kmh=self.city_kmh, handover=handover, pace=self.pace)

    @property
    def widening(self) -> Widening:
        """How far around a kitchen drivers are asked."""
        return Widening(
            radii_km=self.dispatch_radii_km,
            ring=self.lasting("dispatch_widen"),
            lead=self.lasting("dispatch_lead"),
        )

    @property
    def zoning(self) -> Zoning:
        """How the earth is parted into zones."""
        return Zoning(self.dispatch_zone_resolution, self.dispatch_border_km, self.dispatch_zones)

    @property
    def driver_fix_max_age(self) -> timedelta:
        """How old a driver's position may be to count."""
        return self.lasting("driver_fix_max_age")


def terms(settings: Settings) -> Terms:
    """The rules that orders are placed under from now on."""
    return Terms(
        capture_method=settings.capture_method,
        payment_attempts=settings.payment_attempts,
        city=settings.city,
        driver_capacity=settings.driver_capacity,
        **{
            name: settings.lasting(name)
            for name in Terms.model_fields
            if f"{name}_seconds" in Settings.model_fields
        },
    )
