"""The Dockerfile and the compose file, as far as they can be proven without a docker engine."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr
from temporalio.envconfig import ClientConfig

from local.servers import program
from local.stack import PROJECT
from settings import Settings
from workflows import search

COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.temporal.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (PROJECT / "Dockerfile").read_text()

OURS = ("migrate", "worker", "api")
# They end when they have done their work.
ONE_SHOTS = ("migrate", "temporal-schema", "temporal-setup")

# What the images of others read, from their own documentation.
KNOWN_TO_IMAGE = {
    "postgres": {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD"},
    "temporalio/server": {
        "BIND_ON_IP",
        "DB",
        "DB_PORT",
        "DYNAMIC_CONFIG_FILE_PATH",
        "LOG_LEVEL",
        "NUM_HISTORY_SHARDS",
        "POSTGRES_PWD",
        "POSTGRES_SEEDS",
        "POSTGRES_USER",
    },
    "temporalio/admin-tools": {"SQL_PASSWORD", "TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE"},
    "temporalio/ui": {"TEMPORAL_ADDRESS", "TEMPORAL_UI_PORT"},
    "valkey/valkey": set[str](),
}

# A variable as compose writes it: ${NAME}, ${NAME:-default}, ${NAME:?what to set}.
REFERENCE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def as_started(environment: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """The variables of a container that is started with `given` in the operator's environment."""

    def value(reference: re.Match[str]) -> str:
        name, kind, rest = reference.groups()
        return given.get(name) or (rest if kind == "-" else given[name])

    return {name: REFERENCE.sub(value, text) for name, text in environment.items()}


GIVEN = {
    "POSTGRES_PASSWORD": "postgres-password",
    "TEMPORAL_POSTGRES_PASSWORD": "temporal-password",
    "JWT_SECRET": "a secret of at least thirty-two characters",
    "JWT_PRIVATE_KEY": "read when it is needed",
    "SMTP_URL": "smtp://user:password@mail.example.com:587",
    "MAIL_FROM": "RideNDine <no-reply@example.com>",
    "STRIPE_API_KEY": "sk_test_given",
    "STRIPE_WEBHOOK_SECRET": "whsec_given",
    "STRIPE_CONNECT_WEBHOOK_SECRET": "whsec_connect_given",
    "PUBLIC_BASE_URL": "https://api.example.com",
    "GOOGLE_MAPS_API_KEY": "AIza-given",
}

# Whom the server that the facade runs in believes.
OF_UVICORN = {"FORWARDED_ALLOW_IPS"}


def test_everything_that_production_needs_is_there() -> None:
    needed = {"postgres", "redis", "temporal-postgres", "temporal", "temporal-ui", "api", "worker"}
    assert needed <= set(SERVICES)


@pytest.mark.parametrize("image", [s["image"] for s in SERVICES.values()])
def test_every_image_is_pinned(image: str) -> None:
    assert re.fullmatch(r"[a-z/-]+:\d+\.\d+[.\w-]*", image)


def test_the_base_of_our_own_image_is_pinned() -> None:
    assert re.findall(r"^FROM (.*)$", DOCKERFILE, re.MULTILINE)
    assert all(
        re.fullmatch(r"python:3\.\d+\.\d+-[\w-]+", base)
        for base in re.findall(r"^FROM (.*)$", DOCKERFILE, re.MULTILINE)
    )


@pytest.mark.parametrize("name", OURS)
def test_every_variable_of_ours_is_a_setting_that_exists(name: str) -> None:
    environment = as_started(SERVICES[name]["environment"], GIVEN)
    of_temporal = {key: value for key, value in environment.items() if key.startswith("TEMPORAL_")}
    settings = {field.upper() for field in Settings.model_fields}
    assert set(environment) - set(of_temporal) - OF_UVICORN <= settings
    # Those of Temporal are its SDK's: both of them arrive where the client is made.
    profile = ClientConfig.load_client_connect_config(
        disable_file=True, override_env_vars=of_temporal
    )
    assert profile == {
        "target_host": environment["TEMPORAL_ADDRESS"],
        "namespace": environment["TEMPORAL_NAMESPACE"],
    }
    assert len(of_temporal) == len(profile)


@pytest.mark.parametrize("name", OURS)
def test_what_ours_are_told_is_enough_to_start(name: str) -> None:
    started = Settings.of(as_started(SERVICES[name]["environment"], GIVEN))
    assert (
        started.database_url == "postgresql://ridendine:postgres-password@postgres:5432/ridendine"
    )
    assert (started.stripe_api_base, started.google_maps_base_url) == (None, None)


@pytest.mark.parametrize("name", sorted(set(SERVICES) - set(OURS)))
def test_every_variable_of_others_is_one_that_their_image_reads(name: str) -> None:
    image = SERVICES[name]["image"].partition(":")[0]
    assert set(SERVICES[name].get("environment", {})) <= KNOWN_TO_IMAGE[image]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_secret_is_written_down(name: str) -> None:
    secret = {
        field.upper()
        for field, about in Settings.model_fields.items()
        if about.annotation is SecretStr
    } | {"POSTGRES_PASSWORD", "POSTGRES_PWD", "SQL_PASSWORD"}
    for variable, value in SERVICES[name].get("environment", {}).items():
        if variable in secret:
            assert REFERENCE.sub("", value) == "", variable
            assert not any(
                kind == "-" and default for _, kind, default in REFERENCE.findall(value)
            ), variable


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_what_runs_has_a_health_check_and_starts_after_what_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert ("healthcheck" in service) == (name not in ONE_SHOTS)
    for needed, how in service.get("depends_on", {}).items():
        finished = needed in ONE_SHOTS
        expected = "service_completed_successfully" if finished else "service_healthy"
        assert how == {"condition": expected}


def test_the_setup_of_temporal_registers_our_search_attributes_and_may_run_again(
    environment: Mapping[str, str],
) -> None:
    service = SERVICES["temporal-setup"]
    told = {
        # Only the namespace is another: the default one has been set up already.
        "TEMPORAL_NAMESPACE": "as-in-production",
        "TEMPORAL_ADDRESS": environment["TEMPORAL_ADDRESS"],
        "PATH": f"{Path(program('temporal')).parent}:{os.environ['PATH']}",
    }

    def run(*command: str) -> str:
        done = subprocess.run(command, env=told, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    for _ in range(2):
        run(*service["entrypoint"], service["command"][0].replace("$$", "$"))
    listed = run(
        *("temporal", "operator", "search-attribute", "list"),
        *("--namespace", told["TEMPORAL_NAMESPACE"]),
    )
    found = dict(line.split()[:2] for line in listed.splitlines() if len(line.split()) > 1)
    wanted = {key.name: key.indexed_value_type.name.title() for key in search.ALL}
    assert wanted.items() <= found.items()


def test_the_image_holds_all_that_its_processes_import(tmp_path: Path) -> None:
    for line in re.findall(r"^COPY (.*)$", DOCKERFILE, re.MULTILINE):
        *sources, target = line.split()
        for source in sources:
            if (PROJECT / source).is_dir():
                shutil.copytree(PROJECT / source, tmp_path / target)
            else:
                shutil.copy(PROJECT / source, tmp_path / target)
    subprocess.run(
        [sys.executable, "-c", "import api.app, finance.__main__, worker, schema.migrate"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        check=True,
    )


def test_the_image_is_built_from_nothing_that_is_ignored() -> None:
    kept = {
        line.removeprefix("!")
        for line in (PROJECT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = {
        source
        for line in re.findall(r"^COPY (.*)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    }
    assert copied == kept
