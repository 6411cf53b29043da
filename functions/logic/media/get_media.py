"""GetMedia: where a file is fetched, for the next minutes."""

from dataclasses import dataclass

from logic.media.media_ids import parse_media_id
from logic.media.ports import MediaPorts

DOWNLOAD_EXPIRES_S = 5 * 60

_FOR_EVER = "private, max-age=31536000, immutable"
"""The bytes under an id never change once its upload's URL is over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Download:
    """A URL that gives the file, and for how long."""

    url: str
    expires_s: int


def get_media(ports: MediaPorts, media_id: str) -> Download:
    """Sign the download of a file; asks nobody, so a file that was never uploaded is told by S3 alone (404 or 403).

    Raises `MediaNotFound` for what can't be an id.
    """
    media = parse_media_id(media_id)
    url = ports.urls.sign_get(
        media.key,
        content_disposition=media.disposition.name.lower(),
        cache_control=_FOR_EVER,
        expires_s=DOWNLOAD_EXPIRES_S,
    )
    return Download(url=url, expires_s=DOWNLOAD_EXPIRES_S)
