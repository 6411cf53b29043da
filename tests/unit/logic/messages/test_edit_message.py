from hashlib import sha256
from typing import Any

import pytest

from gochat_contracts.commands import EditMessage, SendMessage
from gochat_core.errors import ConversationNotFound, Forbidden, GochatError, InvalidRequest, MessageNotFound
from gochat_core.types import ClientMsgId, ConversationId, Seq
from gochat_repo.command_context import DIGEST_BYTES, Target
from logic.commands.outcomes import Store, Unchanged
from logic.commands.submission import Submission
from tests.unit.logic.ledgers import (
    BOB,
    CAROL,
    CHAT,
    NOW_MS,
    asked,
    changed,
    content,
    elsewhere,
    error_of,
    ledger_of,
    plan,
    target,
)


def edit(text: str = "new", seq: int = 1, *, chat: ConversationId = CHAT, **who: Any) -> Submission:
    return asked(EditMessage(conversation_id=chat, seq=Seq(seq), content=content(text)), **who)


def stored(text: str, **changed_: Any) -> Target:
    """A message as it is read from the store: without its content, but with its digest."""
    digest = sha256(bytes(content(text))).digest()[:DIGEST_BYTES]
    return target(1, content=None, content_digest=digest, **changed_)


def test_an_edit_replaces_the_content_and_says_so() -> None:
    (outcome,) = plan(ledger_of(stored("old")), [edit("grüße")])
    after = changed(outcome).target
    assert (after.content, after.edited_at_ms, after.change) == (bytes(content("grüße")), NOW_MS, 11)
    assert changed(outcome).event == "message.edited"
    assert changed(outcome).data == {
        "conversation_id": CHAT,
        "seq": 1,
        "change": 11,
        "sender_id": "1",
        "content": content("grüße"),
        "edited_at": "2026-11-23T06:00:00.000Z",
    }


@pytest.mark.parametrize("held", [stored("same"), target(1, content=bytes(content("same")))], ids=["digest", "bytes"])
def test_the_same_text_again_changes_nothing(held: Target) -> None:
    ledger = ledger_of(held)
    assert plan(ledger, [edit("same")]) == [Unchanged(target=held)]
    assert ledger.chats[CHAT].change == 10


def test_two_edits_in_a_batch_both_count_and_the_last_one_stands() -> None:
    ledger = ledger_of()
    first, second, third = plan(ledger, [edit("x"), edit("y"), edit("y")])
    assert [changed(first).target.change, changed(second).target.change] == [11, 12]
    assert third == Unchanged(target=changed(second).target)
    assert ledger.changed[(CHAT, Seq(1))].content == bytes(content("y"))


def test_a_message_can_be_edited_in_the_batch_that_sends_it() -> None:
    send = asked(
        SendMessage(conversation_id=CHAT, client_msg_id=ClientMsgId("m"), type="text", content=content("first"))
    )
    sent, edited, same = plan(ledger_of(), [send, edit("second", 5), edit("second", 5)])
    assert isinstance(sent, Store)
    assert changed(edited).target.content == bytes(content("second"))
    assert isinstance(same, Unchanged)


@pytest.mark.parametrize(
    ("given", "held", "expected"),
    [
        (edit(by=CAROL), target(1), ConversationNotFound),
        (edit(chat=elsewhere()), target(1), ConversationNotFound),
        (edit(by=BOB), target(1), Forbidden),
        (edit(), target(1, type="image"), InvalidRequest),
        (edit(), target(1, recalled_at_ms=2), MessageNotFound),
        (edit(by=BOB), target(1, recalled_at_ms=2), MessageNotFound),
        (edit(seq=5), target(1), MessageNotFound),
    ],
    ids=[
        "an outsider",
        "no such conversation",
        "somebody else's",
        "an image",
        "a recalled one",
        "somebody else's recalled one",
        "beyond the end",
    ],
)
def test_refusals(given: Submission, held: Target, expected: type[GochatError]) -> None:
    ledger = ledger_of(held)
    (outcome,) = plan(ledger, [given])
    assert error_of(outcome) is expected
    assert ledger.changed == {}
