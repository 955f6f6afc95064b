"""The one way to Temporal, for every process."""

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig


async def connect() -> Client:
    """A client as the environment or a profile configures it (TEMPORAL_ADDRESS and the like)."""
    return await Client.connect(
        **ClientConfig.load_client_connect_config(), data_converter=pydantic_data_converter
    )
