import pytest

from gochat_core.cursors import write_cursor
from gochat_core.errors import InvalidRequest
from gochat_core.types import ConversationId, UserId
from logic.sync.sync_token import Rest, SyncToken, read_token, write_token

ALICE, BOB = UserId(1), UserId((1 << 63) - 1)
CHAT = ConversationId("0f" * 16)

TOKENS = [
    SyncToken(since_ms=None),
    SyncToken(since_ms=0),
    SyncToken(since_ms=1_795_413_600_000),
    SyncToken(since_ms=None, began_ms=5, position=(7, CHAT)),
    SyncToken(since_ms=None, began_ms=5, rest=Rest(conversation_id=CHAT, change=9)),
    SyncToken(since_ms=1, began_ms=2, position=(3, CHAT), rest=Rest(conversation_id=CHAT, change=(1 << 63) - 1)),
]


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("user_id", [ALICE, BOB])
def test_a_token_is_read_as_it_was_written(token: SyncToken, user_id: UserId) -> None:
    assert read_token(user_id, write_token(user_id, token)) == token


@pytest.mark.parametrize(
    "text",
    [
        write_token(BOB, TOKENS[0]),
        write_cursor("conversations", ALICE, 0, 0, 0, "", "", 0),
        write_cursor("sync", ALICE, 0, 0, 0, "", ""),
        write_cursor("sync", ALICE, 0, 0, 0, "", "", "0"),
        write_token(ALICE, TOKENS[0])[1:],
        "",
        "A",
        "\0",
    ],
)
def test_what_was_not_written_for_this_user_and_this_list_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_token(ALICE, text)
    assert [fault.field for fault in refused.value.faults] == ["token"]


@pytest.mark.parametrize(("at", "rest"), [("x", ""), ("", "0F" * 16), ("0" * 31, ""), ("", "0" * 33)])
def test_a_token_that_was_made_up_with_its_check_is_refused_where_it_makes_no_sense(at: str, rest: str) -> None:
    with pytest.raises(InvalidRequest):
        read_token(ALICE, write_cursor("sync", ALICE, 0, 5, 5, at, rest, 1))


@pytest.mark.parametrize("number", [-2, 1 << 63])
def test_a_token_whose_numbers_fit_no_column_is_refused(number: int) -> None:
    for position in ((number, 5, 5), (0, number, 5), (0, 5, number)):
        with pytest.raises(InvalidRequest):
            read_token(ALICE, write_cursor("sync", ALICE, *position, CHAT, CHAT, 1))
    with pytest.raises(InvalidRequest):
        read_token(ALICE, write_cursor("sync", ALICE, 0, 5, 5, CHAT, CHAT, number))
