"""Finds the files of the web page, and says with which headers they go out."""

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

_CONFIG = "/config.json"
_HEADERS = "headers.json"

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}


@dataclass(frozen=True, kw_only=True)
class WebFile:
    """What one path answers."""

    content: bytes
    content_type: str


@dataclass(frozen=True, kw_only=True)
class WebFiles:
    """The page in a folder, and the service that it is to call."""

    root: Path
    api_url: str
    websocket_urls: tuple[str, ...]

    def find(self, target: str) -> WebFile | None:
        """Give the file of a request's target; None for whatever is no file of the page."""
        path = unquote(urlsplit(target).path)
        if path == _CONFIG:
            return WebFile(content=json.dumps({"api_url": self.api_url}).encode(), content_type="application/json")
        file = (self.root / (path.lstrip("/") or "index.html")).resolve()
        content_type = _TYPES.get(file.suffix)
        if content_type is None or self.root.resolve() not in file.parents or not file.is_file():
            return None
        return WebFile(content=file.read_bytes(), content_type=content_type)

    def headers(self) -> dict[str, str]:
        """Give the headers of every answer; on this machine uploads go to the address of the API as well."""
        api = origin_of(self.api_url)
        sockets = " ".join(sorted({origin_of(url) for url in self.websocket_urls}))
        wanted: dict[str, str] = json.loads((self.root / _HEADERS).read_text())
        return {name: value.format(api=api, websocket=sockets, media=api) for name, value in wanted.items()}


def origin_of(url: str) -> str:
    """Give scheme, host and port of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
