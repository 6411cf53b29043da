from gochat_repo.cache import Reply
from gochat_repo.invalidations import MAX_HEARD, Feed
from gochat_repo.local_cache import LOCAL_TTL_S


class Memory:
    """Notes what it is to forget."""

    def __init__(self) -> None:
        self.forgotten: list[str] = []

    def forget(self, key: str) -> None:
        self.forgotten.append(key)

    def forget_all(self) -> None:
        self.forgotten.append("everything")


def entry(entry_id: bytes, key: bytes = b"user:1") -> Reply:
    return [entry_id, [b"k", key]]


def feed_at(entry_id: bytes) -> tuple[Feed, Memory]:
    """Return a feed that follows the stream of `user:1` and knows an entry of it."""
    memory = Memory()
    feed = Feed(memory, lambda: 0.0, kept_s=LOCAL_TTL_S)
    assert not feed.follow("user:1")
    feed.board()[1]([[entry(entry_id)]])
    assert feed.follow("user:1")
    return feed, memory


def stands_at(feed: Feed) -> object:
    (command,), _ = feed.board()
    assert (command.args[0], command.args[4:]) == ("XRANGE", ("COUNT", MAX_HEARD + 1))
    return command.args[2]


def test_a_thread_that_found_its_place_later_does_not_move_another_ones_past_an_invalidation() -> None:
    memory = Memory()
    feed = Feed(memory, lambda: 0.0, kept_s=LOCAL_TTL_S)
    feed.follow("user:1")
    (_, one_hears), (_, other_hears) = feed.board(), feed.board()
    one_hears([[entry(b"1-0")]])
    other_hears([[entry(b"9-0")]])
    assert stands_at(feed) == b"1-0"


def test_a_thread_that_heard_less_does_not_move_another_ones_place_back() -> None:
    feed, memory = feed_at(b"1-0")
    (_, one_hears), (_, other_hears) = feed.board(), feed.board()
    other_hears([[entry(b"1-0"), entry(b"9-0", b"user:9"), entry(b"10-0", b"user:10")]])
    one_hears([[entry(b"1-0"), entry(b"9-0", b"user:9")]])
    assert stands_at(feed) == b"10-0"
    assert memory.forgotten == ["user:9", "user:10", "user:9"]


def test_a_reply_that_never_came_costs_everything_and_the_place() -> None:
    feed, memory = feed_at(b"1-0")
    feed.board()[1]([None])
    assert memory.forgotten == ["everything"]
    assert not feed.follow("user:1")


def test_an_empty_stream_gets_an_entry_to_stand_at() -> None:
    feed = Feed(Memory(), lambda: 0.0, kept_s=LOCAL_TTL_S)
    feed.follow("user:1")
    feed.board()[1]([[]])
    commands, hear = feed.board()
    assert [one.args[0] for one in commands] == ["XADD", "EXPIRE"]
    hear([b"5-0", 1])
    assert stands_at(feed) == b"5-0"
