"""CreateUpload: where one file goes, signed so that S3 itself takes that type and that size and nothing else."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gochat_core.errors import FieldFault, InvalidRequest
from gochat_core.types import UserId
from logic.media.media_ids import Disposition, Media
from logic.media.ports import MediaPorts, MediaRules

UPLOAD_EXPIRES_S = 15 * 60
"""How long an upload may be begun; S3 looks at the time when a request arrives. The credentials of the function may end
sooner, and with them the URL: a client asks for another one."""

MAX_MIME_CHARACTERS = 255

_NAME = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,63}"
_MIME = re.compile(rf"{_NAME}/{_NAME}(; ?[A-Za-z0-9-]+=[A-Za-z0-9._,+-]+)*")
"""RFC 6838, section 4.2, with parameters as browsers' recorders write them; it goes into a header as it is."""

_SHOWN = ("image", "audio", "video")


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """What a client sends its file with: a PUT to `url` with these headers."""

    media: Media
    url: str
    headers: Mapping[str, str]
    expires_s: int


def create_upload(ports: MediaPorts, user_id: UserId, *, mime: str, size: int, random: bytes) -> Upload:
    """Sign the upload of a file of `size` bytes; `random` (16 bytes) makes its id, the same bits the same id.

    Stores nothing. Raises `InvalidRequest` with every fault, naming the types and the size that are allowed.
    """
    _check(ports.rules, mime, size)
    media = Media(user_id=user_id, disposition=disposition_of(mime), random=random)
    url = ports.urls.sign_put(media.key, content_type=mime, content_length=size, expires_s=UPLOAD_EXPIRES_S)
    headers = {"content-type": mime, "content-length": str(size)}
    return Upload(media=media, url=url, headers=headers, expires_s=UPLOAD_EXPIRES_S)


def disposition_of(mime: str) -> Disposition:
    """Return how a file of this type is served: pictures, sound and film in place, all else as something to save.

    SVG is a picture that runs scripts, as every XML is, so it is to save like HTML.
    """
    kind, _, subtype = mime.partition(";")[0].strip().lower().partition("/")
    is_shown = kind in _SHOWN and "xml" not in subtype and "svg" not in subtype
    return Disposition.INLINE if is_shown else Disposition.ATTACHMENT


def _check(rules: MediaRules, mime: str, size: int) -> None:
    faults: list[FieldFault] = []
    if len(mime) > MAX_MIME_CHARACTERS or not _MIME.fullmatch(mime) or not rules.allows(mime):
        faults.append(FieldFault(field="mime", message=f"must be one of {', '.join(rules.types)}"))
    if not 1 <= size <= rules.max_bytes:
        faults.append(FieldFault(field="size", message=f"must be 1 to {rules.max_bytes} bytes"))
    if faults:
        raise InvalidRequest(faults=faults)
