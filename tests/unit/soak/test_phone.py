from typing import Any

from tests.model.phone import Phone

CHAT = "c" * 32


def _message(seq: int, text: str = "as sent", change: int = 0) -> dict[str, Any]:
    return {"conversation_id": CHAT, "seq": seq, "content": {"text": text}, "change": change, "reactions": []}


def _answer(seqs: range, *, last_seq: int, change: int) -> dict[str, Any]:
    state = {"conversation_id": CHAT, "last_seq": last_seq, "change": change}
    state |= {"peer_delivered_seq": 0, "peer_read_seq": 0}
    messages = [_message(seq) for seq in seqs]
    entry = {"conversation": state, "messages": messages, "changed": [], "has_more": seqs[-1] < last_seq}
    return {"conversations": [entry], "removed": [], "token": "t", "has_more": False}


def test_what_was_heard_live_behind_a_gap_is_fetched_again_because_it_may_have_been_edited_unheard() -> None:
    phone = Phone("1", "phone", token="earlier")
    for seq in (1, *range(3, 151)):
        phone.hear({"event": "message.new", "data": {"messages": [_message(seq)]}})
    assert phone.sync_request()["cursors"][CHAT] == {"seq": 1, "change": 0}
    phone.merge_sync(_answer(range(2, 102), last_seq=150, change=1))
    ((chat_id, after_seq, last_seq, change),) = phone.pages
    assert (chat_id, after_seq, last_seq) == (CHAT, 101, 150), "though nothing is missing up to 150 by now"
    phone.merge_page(CHAT, [_message(seq, *(("edited", 1) if seq == 120 else ())) for seq in range(102, 151)])
    phone.views[CHAT].complete(last_seq=last_seq, change=change)
    assert phone.views[CHAT].message(120, "1")["content"] == {"text": "edited"}
