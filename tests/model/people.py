"""The people of a walk: accounts, logins and devices, made straight in the tables where no promise is at stake."""

import itertools
from dataclasses import dataclass, field

from gochat_core.clock import Clock
from gochat_core.token_signing import TokenSigner, parse_token_secret
from gochat_core.types import DeviceId, SessionId, UserId
from gochat_repo.mysql import Database
from gochat_repo.sessions import NewSession, insert_session
from tests.model.cell import Socket
from tests.model.phone import Phone

ALICE, BOB, CAROL, DAVE = range(4)
DEVICES = ((ALICE, "phone"), (ALICE, "laptop"), (BOB, "phone"), (BOB, "laptop"), (CAROL, "phone"), (DAVE, "phone"))
SESSION_LASTS_MS = 30 * 86_400_000


@dataclass
class Device:
    """A device of somebody: its login, its memory, and the socket that it uses.

    `is_live` from a sync with an open socket on: what comes then must be enough. `is_leaving` from a log-out on whose
    answer never came, until one has come.
    """

    user: str
    name: str
    session: int
    phone: Phone
    socket: Socket | None = None
    is_live: bool = False
    is_leaving: bool = False
    revoked: list[int] = field(default_factory=list)

    @property
    def is_logged_in(self) -> bool:
        """Tell whether the device's login stands, as its owner knows it."""
        return self.session not in self.revoked and not self.is_leaving

    @property
    def is_connected(self) -> bool:
        """Tell whether the client believes that it is connected."""
        return self.socket is not None and self.socket.phase in ("open", "limbo")


class People:
    """Four people with six devices, and what they need to open doors."""

    def __init__(self, database: Database, clock: Clock, secret: str) -> None:
        self._database = database
        self._clock = clock
        self._signer = TokenSigner(parse_token_secret(secret))
        self._numbers = itertools.count(1_000_001)
        self.users = [str(next(self._numbers)) for _ in range(4)]
        names = [f"user{user}" for user in self.users]
        rows = [(int(user), name, name, 1) for user, name in zip(self.users, names, strict=True)]
        database.transaction(
            lambda tx: tx.execute_rows(
                "INSERT INTO users (user_id, username, display_name, created_at_ms) VALUES", rows
            )
        )
        self.devices = [
            Device(self.users[one], name, self._open_session(self.users[one], name), Phone(self.users[one], name))
            for one, name in DEVICES
        ]

    def of(self, user: str) -> list[Device]:
        """Return the devices of a user."""
        return [device for device in self.devices if device.user == user]

    def log_in(self, device: Device) -> None:
        """Open a new login for a device whose last one was revoked."""
        device.session = self._open_session(device.user, device.name)

    def token(self, device: Device, session: int | None = None) -> str:
        """Return an access token of now."""
        return self._signer.access_token(
            UserId(int(device.user)),
            DeviceId(device.name),
            SessionId(session or device.session),
            issued_at_ms=self._clock.now_ms(),
        )

    def _open_session(self, user: str, device: str) -> int:
        now_ms = self._clock.now_ms()
        new = NewSession(
            session_id=SessionId(next(self._numbers)),
            user_id=UserId(int(user)),
            device_id=DeviceId(device),
            platform="ios",
            salt=b"s" * 16,
            opened_at_ms=now_ms,
            expires_at_ms=now_ms + SESSION_LASTS_MS,
        )
        self._database.transaction(lambda tx: insert_session(tx, new))
        return int(new.session_id)
