"""What APNs, FCM and browsers are sent: within 4 KB, collapsing by conversation, urgent only where it sounds."""

import msgspec

from task.push.providers.provider import Push

MAX_PAYLOAD_BYTES = 4_096
"""Of APNs (Apple, "Generating a remote notification") and FCM (Firebase, "About FCM messages") alike."""

_encode = msgspec.json.Encoder().encode


def apns_payload(push: Push) -> str:
    """Return the notification's JSON; without a sound it is passive and lights no screen."""
    record = push.record
    is_alert = record.kind == "alert"
    aps: dict[str, object] = {
        "alert": {"title": record.title, "body": record.body},
        "badge": push.badge,
        "thread-id": record.conversation_id,
        "interruption-level": "active" if is_alert else "passive",
    }
    if is_alert:
        aps["sound"] = "default"
    return _encode({"aps": aps, "gochat": _data(push)}).decode()


def apns_priority(push: Push) -> str:
    """Return 10, at once, or 5, as the battery allows (Apple, "Sending notification requests to APNs")."""
    return "10" if push.record.kind == "alert" else "5"


def fcm_message(push: Push) -> dict[str, object]:
    """Return the message of FCM's HTTP v1 API, without its token."""
    record = push.record
    is_alert = record.kind == "alert"
    return {
        "notification": {"title": record.title, "body": record.body},
        "data": _data(push),
        "android": {
            "priority": "HIGH" if is_alert else "NORMAL",
            "collapse_key": push.collapse_id,
            "notification": {
                "tag": push.collapse_id,
                "notification_count": push.badge,
                "notification_priority": "PRIORITY_HIGH" if is_alert else "PRIORITY_LOW",
            },
        },
    }


def webpush_payload(push: Push) -> bytes:
    """Return the JSON that a web client's service worker gets: it shows the notification itself."""
    record = push.record
    return _encode(
        {
            "title": record.title,
            "body": record.body,
            "badge": push.badge,
            "tag": push.collapse_id,
            "silent": record.kind != "alert",
            **_data(push),
        }
    )


def webpush_urgency(push: Push) -> str:
    """Return `high`, which wakes a device, or `low`, for when it is on power or Wi-Fi (RFC 8030, section 5.3)."""
    return "high" if push.record.kind == "alert" else "low"


def _data(push: Push) -> dict[str, str]:
    return {"conversation_id": push.record.conversation_id, "seq": str(push.record.seq)}
