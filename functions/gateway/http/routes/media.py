"""/media: where a file is uploaded, and the stable URL under which it is fetched."""

import msgspec

from gateway.http.answers import Answer
from gateway.http.logic_client import call
from gateway.http.request import Request
from gateway.http.routing import PREFIX, Route, Services
from gochat_contracts.logic import media_pb2

_MAX_SIZE = (1 << 63) - 1

_REDIRECT_MARGIN_S = 60
"""A redirect that was kept leads to a URL that is still good for this long at least."""


class UploadBody(msgspec.Struct, frozen=True, kw_only=True):
    """POST /media: what a client is about to upload; im-logic knows what is allowed."""

    mime: str
    size: int


def create_upload(request: Request, services: Services) -> Answer:
    """Sign an upload of a file of this type and size."""
    body = request.read(UploadBody)
    # What no wire could carry is no size either: 0 is refused with the sizes that are allowed.
    size = body.size if 0 <= body.size <= _MAX_SIZE else 0
    upload = call(services.logic.media.CreateUpload, media_pb2.CreateUploadRequest(mime=body.mime, size=size), request)
    return Answer(
        status=201,
        value={
            "upload_url": upload.upload_url,
            "headers": dict(sorted(upload.headers.items())),
            "url": f"{services.http_url}{PREFIX}/media/{upload.media_id}",
            "expires_in": upload.expires_in_s,
        },
    )


def get_media(request: Request, services: Services) -> Answer:
    """Lead to the file: a redirect that may be kept for some minutes. Open, as only who was sent the id knows it."""
    message = media_pb2.GetMediaRequest(media_id=request.path["media_id"])
    download = call(services.logic.media.GetMedia, message, request)
    max_age_s = download.expires_in_s - _REDIRECT_MARGIN_S
    return Answer(status=307, headers={"location": download.url, "cache-control": f"private, max-age={max_age_s}"})


ROUTES = (
    Route(method="POST", path="/media", answer=create_upload),
    Route(method="GET", path="/media/<media_id>", answer=get_media, is_open=True),
)
