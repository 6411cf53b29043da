"""What the use cases of media stand on: who signs URLs of the bucket, and what may be uploaded."""

from dataclasses import dataclass
from typing import Protocol


class MediaUrls(Protocol):
    """Signs requests to the bucket; nothing goes over the network."""

    def sign_put(self, key: str, *, content_type: str, content_length: int, expires_s: int) -> str:
        """Return a URL that takes one body of exactly this type and length."""
        ...

    def sign_get(self, key: str, *, content_disposition: str, cache_control: str, expires_s: int) -> str:
        """Return a URL that gives the object, with these headers."""
        ...


@dataclass(frozen=True, kw_only=True)
class MediaRules:
    """What the deployment lets people upload: types as `image/png` or `image/*`, and the most bytes of one file."""

    types: tuple[str, ...]
    max_bytes: int

    def allows(self, mime: str) -> bool:
        """Tell whether a type, with or without parameters, is one of those."""
        essence = mime.partition(";")[0].strip().lower()
        return essence in self.types or f"{essence.partition('/')[0]}/*" in self.types


@dataclass(frozen=True, kw_only=True)
class MediaPorts:
    """Built once per container."""

    urls: MediaUrls
    rules: MediaRules
