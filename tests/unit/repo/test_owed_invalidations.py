from gochat_repo.cache import command
from gochat_repo.owed_invalidations import MAX_OWED, OwedInvalidations


def test_what_was_taken_is_owed_no_more() -> None:
    owed = OwedInvalidations()
    owed.add({"a": [command("SET", "a", "!")], "b": [command("SET", "b", "!")]})
    commands, hear = owed.board()
    assert [one.args[1] for one in commands] == ["a", "b"]
    hear([b"OK", b"OK"])
    assert owed.board()[0] == []


def test_what_was_not_taken_in_full_is_owed_still() -> None:
    owed = OwedInvalidations()
    owed.add({"a": [command("SET", "a", "!")], "b": [command("SET", "b", "!")]})
    owed.board()[1]([b"OK", None])
    assert len(owed.board()[0]) == 2


def test_what_is_owed_again_meanwhile_stays() -> None:
    owed = OwedInvalidations()
    owed.add({"a": [command("SET", "a", "!")]})
    _, hear = owed.board()
    owed.add({"a": [command("SET", "a", "!")]})
    hear([b"OK"])
    assert len(owed.board()[0]) == 1


def test_debts_are_bounded_and_the_oldest_go_first() -> None:
    owed = OwedInvalidations()
    for number in range(MAX_OWED + 5):
        owed.add({str(number): [command("SET", str(number), "!")]})
    commands, _ = owed.board()
    assert [commands[0].args[1], commands[-1].args[1], len(commands)] == ["5", str(MAX_OWED + 4), MAX_OWED]
