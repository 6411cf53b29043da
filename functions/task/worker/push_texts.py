"""What a notification says, in the languages there are, with or without showing what was written."""

import unicodedata

import msgspec

from gochat_repo.messages import StoredMessage

MAX_TITLE_CHARACTERS = 64
MAX_BODY_CHARACTERS = 180
"""Four bytes each at most: with what goes around them far below the 4 KB that APNs and FCM take."""

APP_NAME = "GoChat"

_TEXTS = {
    "en": {
        "one": "New message",
        "many": "{count} new messages",
        "image": "Photo",
        "audio": "Voice message",
        "video": "Video",
        "file": "File",
        "location": "Location",
        "said": "{name}: {text}",
    },
    "zh": {
        "one": "新消息",
        "many": "{count} 条新消息",
        "image": "[图片]",
        "audio": "[语音]",
        "video": "[视频]",
        "file": "[文件]",
        "location": "[位置]",
        "said": "{name}：{text}",  # noqa: RUF001 - the colon of Chinese
    },
}


def write_texts(
    message: StoredMessage, *, count: int, language: str, previews: bool, sender_name: str, group_name: str | None
) -> tuple[str, str]:
    """Return title and body; one message shows itself, several only how many they are. Pure."""
    texts = _TEXTS.get(language, _TEXTS["en"])
    if count > 1:
        body = texts["many"].format(count=count)
    elif previews:
        body = _preview(message, texts)
    else:
        body = texts["one"]
    if not previews:
        return APP_NAME, body
    if group_name is not None and count == 1:
        body = texts["said"].format(name=_shorten(sender_name, MAX_TITLE_CHARACTERS), text=body)
    title = _shorten(group_name or sender_name, MAX_TITLE_CHARACTERS) or APP_NAME
    return title, _shorten(body, MAX_BODY_CHARACTERS) or texts["one"]


def _preview(message: StoredMessage, texts: dict[str, str]) -> str:
    if message.type == "text":
        content = msgspec.json.decode(message.content, type=dict[str, object])
        return str(content.get("text", ""))
    return texts.get(message.type, texts["one"])


def _shorten(text: str, characters: int) -> str:
    """Return one line without control characters, cut with an ellipsis where it is too long."""
    clean = "".join(" " if unicodedata.category(one) in {"Cc", "Cs", "Zl", "Zp"} else one for one in text)
    line = " ".join(clean.split())
    return line if len(line) <= characters else line[: characters - 1].rstrip() + "…"
