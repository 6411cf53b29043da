"""Speaks GoChat's REST API as far as a terminal client needs it."""

from dataclasses import dataclass
from typing import Any

import httpx

HISTORY_LIMIT = 50
_TIMEOUT_S = 30.0


class Refused(Exception):
    """The server answered with a problem document; `code` is stable."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.status = status
        self.code = code


@dataclass(frozen=True, kw_only=True)
class Login:
    """What a login gives; the tokens are left out of every printed form."""

    user_id: str
    websocket_url: str
    access_token: str
    refresh_token: str

    def __repr__(self) -> str:
        return f"Login(user_id={self.user_id!r})"


class RestClient:
    """Call the API for one user; every call raises Refused or httpx.HTTPError."""

    def __init__(self, http_url: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._http = httpx.AsyncClient(
            base_url=f"{http_url.rstrip('/')}/api/v1", timeout=_TIMEOUT_S, transport=transport
        )
        self._login: Login | None = None

    async def close(self) -> None:
        """Close the connections to the server."""
        await self._http.aclose()

    async def register(self, username: str, password: str) -> None:
        """Make an account."""
        await self._call("POST", "/auth/register", json={"username": username, "password": password})

    async def log_in(self, username: str, password: str, *, device_id: str) -> Login:
        """Log in; the later calls carry the token."""
        body = {"username": username, "password": password, "device_id": device_id, "platform": "desktop"}
        return self._keep(await self._call("POST", "/auth/login", json=body))

    async def refresh(self) -> Login:
        """Trade the refresh token for a new pair."""
        token = self._login.refresh_token if self._login else ""
        return self._keep(await self._call("POST", "/auth/refresh", json={"refresh_token": token}))

    async def list_gateways(self) -> list[str]:
        """Give the URLs under which WebSockets are opened, best first."""
        found = await self._call("GET", "/gateways")
        return [str(one["url"]) for one in found["gateways"]]

    async def find_user(self, username: str) -> str | None:
        """Give the id of the user with exactly this name, or None."""
        found = await self._call("GET", "/users/search", params={"q": username})
        return next((user["user_id"] for user in found["users"] if user["username"] == username.lower()), None)

    async def open_single_conversation(self, peer_id: str) -> str:
        """Give the id of the conversation with one other user; the same pair always has the same one."""
        made = await self._call("POST", "/conversations/create", json={"type": "single", "member_ids": [peer_id]})
        return str(made["conversation"]["conversation_id"])

    async def list_messages(
        self, conversation_id: str, *, after_seq: int | None = None
    ) -> tuple[list[dict[str, Any]], bool]:
        """Give messages in ascending `seq` and whether there are more: the latest ones, or those after a `seq`."""
        params: dict[str, int] = {"limit": HISTORY_LIMIT}
        if after_seq is not None:
            params["after_seq"] = after_seq
        page = await self._call("GET", f"/conversations/{conversation_id}/messages", params=params)
        return list(page["messages"]), bool(page["has_more"])

    async def mark_read(self, conversation_id: str, seq: int) -> None:
        """Tell the server that everything up to `seq` was read."""
        await self._call("POST", f"/conversations/{conversation_id}/read", json={"seq": seq})

    def _keep(self, answer: dict[str, Any]) -> Login:
        self._login = Login(
            user_id=answer["user"]["user_id"],
            websocket_url=answer["websocket_url"],
            access_token=answer["access_token"],
            refresh_token=answer["refresh_token"],
        )
        return self._login

    async def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        headers = {}
        if self._login is not None and path not in ("/auth/login", "/auth/refresh", "/auth/register"):
            headers["Authorization"] = f"Bearer {self._login.access_token}"
        answer = await self._http.request(method, path, headers=headers, **options)
        body = _object(answer)
        if answer.is_success:
            return body
        if body.get("code") == "token_expired":
            await self.refresh()
            return await self._call(method, path, **options)
        raise Refused(answer.status_code, str(body.get("code", "platform_error")), str(body.get("detail", "")))


def _object(answer: httpx.Response) -> dict[str, Any]:
    """Give an answer's JSON object; the platform's own errors may be none, they count as empty."""
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
