"""What people send about who they are."""

from typing import Annotated, Literal

import phonenumbers
from pydantic import AfterValidator, EmailStr, StrictBool, StringConstraints

from api.bodies import Body, Line
from api.examples import shown
from domain.languages import Language

# RFC 5321 has 254 characters at most.
_LONGEST_ADDRESS = 254


def _plain(address: str) -> str:
    """Few mail servers take other letters than ASCII's; a domain is written in punycode."""
    if not address.isascii() or len(address) > _LONGEST_ADDRESS:
        raise ValueError("an address has ASCII characters only, 254 at most")
    return address


def _number(written: str) -> str:
    try:
        number = phonenumbers.parse(written)
    except phonenumbers.NumberParseException as error:
        raise ValueError("a phone number is written as in +15125550123") from error
    if not phonenumbers.is_possible_number(number):
        raise ValueError("there can be no such phone number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


Email = Annotated[EmailStr, AfterValidator(_plain)]
Password = Annotated[str, StringConstraints(min_length=8, max_length=128)]
KnownPassword = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Name = Annotated[Line, StringConstraints(max_length=100)]
# E.164, with the + and the country's code.
Phone = Annotated[str, StringConstraints(pattern=r"^\+[0-9 ().-]{6,30}$"), AfterValidator(_number)]
LinkToken = Annotated[str, StringConstraints(min_length=1, max_length=200)]
RefreshToken = Annotated[str, StringConstraints(min_length=1, max_length=200)]

_TOKEN = "0198c0de00007000800000000000000a.5f1d3c…"  # noqa: S105 - of nobody


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


class EmailBody(Body):
    """An address."""

    model_config = shown({"email": "customer@example.com"})

    email: Email


class TokenBody(Body):
    """What a link in a mail holds as `token`."""

    model_config = shown({"token": _TOKEN})

    token: LinkToken


class RegistrationBody(Body):
    """A new account. A chef goes on with his application, a driver with his vehicle, once they have
    followed the link in the mail and logged in.
    """

    model_config = shown(
        {
            "email": "new@example.com",
            "password": "correct horse battery",
            "firstName": "Casey",
            "lastName": "Morgan",
            "phone": "+15125550123",
            "role": "customer",
            "language": "en",
        }
    )

    email: Email
    password: Password
    first_name: Name
    last_name: Name
    phone: Phone | None = None
    role: Literal["customer", "chef", "driver"] = "customer"
    language: Language = Language.EN


class NewPasswordBody(Body):
    """A password in place of the one that was forgotten."""

    model_config = shown({"token": _TOKEN, "password": "correct horse battery"})

    token: LinkToken
    password: Password


class ChangePasswordBody(Body):
    """Another password, and the one of before."""

    model_config = shown({"password": "ridendine-demo", "newPassword": "correct horse battery"})

    password: KnownPassword
    new_password: Password


class ChangeEmailBody(Body):
    """Another address, and the password of the account."""

    model_config = shown({"newEmail": "casey@example.com", "password": "ridendine-demo"})

    new_email: Email
    password: KnownPassword


class SendCodeBody(Body):
    """To which phone a code goes; without, to the one of the profile."""

    model_config = shown({"phone": "+15125550123"})

    phone: Phone | None = None


class CodeBody(Body):
    """The code of the last SMS."""

    model_config = shown({"code": "471100"})

    code: Annotated[str, StringConstraints(pattern="^[0-9]{6}$")]
