"""What a client may send about accounts and logins: the same rules at the REST door and in im-logic."""

import re
from typing import Annotated, Literal

import msgspec

from gochat_core.ids import CLIENT_ID

USERNAME = re.compile(r"[A-Za-z0-9_.-]{3,32}")
"""Usernames are case-insensitive: they are kept and compared in lower case."""

USERNAME_PREFIX = re.compile(r"[A-Za-z0-9_.-]{1,32}")

MAX_SECRET_CHARACTERS = 4_096
"""Of what is compared but never stored: longer than anything we accept elsewhere, so that it can only be wrong."""

Username = Annotated[str, msgspec.Meta(pattern=rf"^{USERNAME.pattern}\Z")]
NewPassword = Annotated[str, msgspec.Meta(min_length=8, max_length=128)]
GivenPassword = Annotated[str, msgspec.Meta(max_length=MAX_SECRET_CHARACTERS)]
DisplayName = Annotated[str, msgspec.Meta(max_length=64, pattern=r"^(?=.*\S)[^\x00-\x1f\x7f]*\Z")]
AvatarUrl = Annotated[str, msgspec.Meta(max_length=2048, pattern=r"^https?://\S+\Z")]
ClientId = Annotated[str, msgspec.Meta(pattern=rf"^{CLIENT_ID.pattern}\Z")]
Platform = Literal["ios", "android", "web", "desktop"]


class SecretBody(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what holds secrets: it never shows them in its text form."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


class RegisterBody(SecretBody, frozen=True, kw_only=True):
    """POST /auth/register."""

    username: Username
    password: NewPassword
    display_name: DisplayName | None = None


class LoginBody(SecretBody, frozen=True, kw_only=True):
    """POST /auth/login: a username that can't exist is a wrong one, not a malformed request."""

    username: Annotated[str, msgspec.Meta(max_length=MAX_SECRET_CHARACTERS)]
    password: GivenPassword
    device_id: ClientId
    platform: Platform


class RefreshBody(SecretBody, frozen=True, kw_only=True):
    """POST /auth/refresh."""

    refresh_token: Annotated[str, msgspec.Meta(max_length=MAX_SECRET_CHARACTERS)]


class LogoutBody(msgspec.Struct, frozen=True, kw_only=True):
    """POST /auth/logout."""

    all_devices: bool = False


class PasswordBody(SecretBody, frozen=True, kw_only=True):
    """POST /auth/password."""

    old_password: GivenPassword
    new_password: NewPassword


class ProfileBody(msgspec.Struct, frozen=True, kw_only=True):
    """PATCH /users/me: absent members stay as they are, null removes the avatar."""

    display_name: DisplayName | msgspec.UnsetType = msgspec.UNSET
    avatar_url: AvatarUrl | msgspec.UnsetType | None = msgspec.UNSET
