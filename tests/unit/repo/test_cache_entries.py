import pytest

from gochat_repo.cache_entries import (
    State,
    bury_command,
    claim_command,
    fill_command,
    mark_command,
    parse_entry,
    remember_command,
    take_command,
)

OURS, THEIRS = b"12345678", b"87654321"


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        (None, State.MINE),
        (take_command("k", OURS).args[2], State.MINE),  # taken before: the reply was lost
        (take_command("k", THEIRS).args[2], State.ELSEWHERE),
        (claim_command("k", b"!", OURS).args[5], State.MINE_FROM_WRITER),
        (claim_command("k", b"!", THEIRS).args[5], State.ELSEWHERE),
        (mark_command("k").args[2], State.WRITING),
        (bury_command("k").args[2], State.CLAIMABLE),
        (remember_command("k", b"value").args[2], State.VALUE),
        (fill_command("k", OURS, b"value", from_writer=False).args[5], State.VALUE),
        (fill_command("k", OURS, None, from_writer=False).args[5], State.ABSENT),
        (b'{"of an earlier": "release"}', State.CLAIMABLE),
        (b"", State.CLAIMABLE),
    ],
)
def test_every_entry_is_read_as_it_was_written(reply: bytes | None, state: State) -> None:
    assert parse_entry(reply, OURS) is state


def test_a_fill_names_the_lease_that_it_was_read_under() -> None:
    assert fill_command("k", OURS, b"", from_writer=False).args[4] == take_command("k", OURS).args[2]
    assert fill_command("k", OURS, b"", from_writer=True).args[4] == claim_command("k", b"!", OURS).args[5]
