"""What the terminal says of the peer, and below a message."""

from dev_cli.chat.happenings import TYPING_SHOWN_S, PeerStatus, after_text


def receipt(delivered_seq: int, read_seq: int) -> dict[str, int]:
    return {"delivered_seq": delivered_seq, "read_seq": read_seq}


def test_the_peer_is_typing_for_a_while_or_until_the_message_comes() -> None:
    peer = PeerStatus("bob")
    assert peer.line(0.0) == ""
    peer.on_typing(10.0)
    assert peer.line(10.0 + TYPING_SHOWN_S - 0.1) == "bob is typing…"
    assert peer.line(10.0 + TYPING_SHOWN_S) == ""
    peer.on_typing(20.0)
    peer.on_message()
    assert peer.line(20.0) == ""


def test_the_furthest_marks_are_shown_whatever_order_they_come_in() -> None:
    peer = PeerStatus("bob")
    peer.on_receipt(receipt(2, 0))
    assert peer.line(0.0) == "bob has #2"
    peer.on_receipt(receipt(5, 3))
    peer.on_receipt(receipt(4, 2))
    assert peer.line(0.0) == "bob has #5, has read #3"
    peer.on_receipt(receipt(5, 5))
    assert peer.line(0.0) == "bob has read #5"


def test_a_stored_message_shows_that_it_was_edited_and_its_reactions() -> None:
    message = {"edited_at": "2026-11-23T07:00:00.000Z", "reactions": [{"emoji": "👍", "count": 2}]}
    assert after_text(message) == "  (edited)  👍 2"
    assert after_text({"edited_at": None, "reactions": []}) == ""
