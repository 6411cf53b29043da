"""Somebody who uses a stage to find out whether it works."""

from dataclasses import dataclass, field

from gochat_client.door import Door
from gochat_client.faults import StepFailedError
from gochat_client.wire import Wire

PLATFORM = "desktop"


@dataclass(kw_only=True)
class Guest:
    """One user with one device."""

    name: str
    """The username."""
    called: str
    """What steps call them: `ada`."""
    device_id: str
    door: Door
    password: str = field(repr=False)
    user_id: str = ""
    websocket_url: str = ""
    refresh_token: str = field(default="", repr=False)
    wire: Wire | None = None

    @property
    def socket(self) -> Wire:
        """The open WebSocket."""
        assert self.wire is not None
        return self.wire

    def register(self) -> None:
        """Make the account. Raises StepFailedError; not idempotent."""
        body = {"username": self.name, "password": self.password}
        self.user_id = str(self.door.call("POST", "/auth/register", body)["user"]["user_id"])

    def log_in(self) -> None:
        """Open a session, in place of the one that this device had. Raises StepFailedError."""
        body = {"username": self.name, "password": self.password, "device_id": self.device_id, "platform": PLATFORM}
        self.door.token = ""
        self._keep(self.door.call("POST", "/auth/login", body))

    def refresh(self) -> None:
        """Exchange the refresh token for the next pair. Raises StepFailedError."""
        self.door.token = ""
        self._keep(self.door.call("POST", "/auth/refresh", {"refresh_token": self.refresh_token}))

    def forget(self) -> None:
        """Forget the login."""
        self.door.token = self.refresh_token = ""

    def connect(self, url: str, *, patience_s: float) -> None:
        """Open the WebSocket and greet. Raises StepFailedError."""
        self.wire = Wire(url, self.door.token, patience_s=patience_s)
        self.wire.request("hello", {})

    def disconnect(self) -> None:
        """Close the WebSocket, if it is open."""
        if self.wire is not None:
            self.wire.close()
            self.wire = None

    def befriend(self, other: "Guest") -> None:
        """Ask somebody to be a friend, or agree to what they have asked. May be repeated. Raises StepFailedError."""
        try:
            self.door.call("POST", "/friends/requests", {"user_id": other.user_id})
        except StepFailedError as failure:
            if failure.code != "already_friends":
                raise

    def _keep(self, login: dict[str, object]) -> None:
        user = login["user"]
        assert isinstance(user, dict)
        self.user_id = str(user["user_id"])
        self.door.token = str(login["access_token"])
        self.refresh_token = str(login["refresh_token"])
        self.websocket_url = str(login["websocket_url"])
