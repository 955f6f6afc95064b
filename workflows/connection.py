"""The one way to Temporal, for every process."""

from collections.abc import Mapping

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig


async def connect(environment: Mapping[str, str] | None = None, *, lazy: bool = False) -> Client:
    """A client as a profile or the environment says (TEMPORAL_ADDRESS and the like; see envconfig).

    `environment` stands in for this process's own. A `lazy` one connects at its first call.
    """
    return await Client.connect(
        **ClientConfig.load_client_connect_config(override_env_vars=environment),
        data_converter=pydantic_data_converter,
        lazy=lazy,
    )
