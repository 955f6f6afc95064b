"""What people send about who they are."""

from typing import Annotated

from pydantic import StrictBool, StringConstraints

from api.bodies import Body
from api.examples import shown

RefreshToken = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class RefreshBody(Body):
    """The refresh token of the last answer."""

    model_config = shown({"refreshToken": "Jx2cD8rYH0b1zq0o3Vf5l8yJt6eT4mWn7uA2sKdQpXk"})

    refresh_token: RefreshToken


class LogoutBody(Body):
    """Whose session ends, and whether all his others do."""

    model_config = shown(
        {"refreshToken": "Jx2cD8rYH0b1zq0o3Vf5l8yJt6eT4mWn7uA2sKdQpXk", "everywhere": False}
    )

    refresh_token: RefreshToken
    everywhere: StrictBool = False
