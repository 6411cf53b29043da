"""Handles pages of fan-outs: who is connected is told on the bulk topic of the cell, who is away becomes one task."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gochat_aws.kafka_event import dead_letter
from gochat_aws.kafka_producer import OutgoingRecord, RecordProducer
from gochat_contracts.records import FanOutPage
from gochat_core.clock import Clock
from gochat_core.types import ConversationId, UserId
from gochat_repo.cache import Cache
from gochat_repo.cached_conversations import MESSAGES, Place
from gochat_repo.connections import Connection, Connections
from gochat_repo.done_pages import find_done, mark_done
from gochat_repo.member_pages import MEMBER_PAGES, MemberPage, PageKey
from gochat_repo.message_view import find_unlisted_viewers
from gochat_repo.messages import StoredMessage
from gochat_repo.mysql import Database
from gochat_repo.reactions import ReactionKey
from gochat_repo.read_through import ReadThrough
from task.worker.plan_page import PlannedPage, Telling, plan_page
from task.worker.tasks import TaskVerdicts, Work

Range = tuple[ConversationId, UserId | None, UserId | None]
"""Of whose members a page is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _State:
    """What the stores say about the pages of a piece."""

    messages: dict[Place, StoredMessage]
    members: dict[Range, MemberPage]
    connections: dict[UserId, tuple[Connection, ...]]
    unlisted: frozenset[ReactionKey]


class FanOutPages:
    """Applies pages; about `page_members` members are held at a time."""

    def __init__(
        self,
        database: Database,
        values: ReadThrough,
        connections: Connections,
        cache: Cache,
        producer: RecordProducer,
        clock: Clock,
        *,
        page_members: int,
    ) -> None:
        self._database = database
        self._values = values
        self._connections = connections
        self._cache = cache
        self._producer = producer
        self._clock = clock
        self._page_members = page_members

    def leave_out_done(self, works: Sequence[Work[FanOutPage]], verdicts: TaskVerdicts) -> list[Work[FanOutPage]]:
        """Leave out what another invocation has done that nobody was told of; one cache round trip."""
        done = find_done(self._cache, [(one.task.cut, one.task.page) for one in works])
        left = [one for one in works if (one.task.cut, one.task.page) not in done]
        verdicts.passed_over += len(works) - len(left)
        return left

    def pieces(self, works: Sequence[Work[FanOutPage]]) -> list[list[Work[FanOutPage]]]:
        """Put together what is of the same members, in order, and small pages up to the size of one."""
        by_range: dict[Range, list[Work[FanOutPage]]] = {}
        for one in works:
            by_range.setdefault(_range(one.task), []).append(one)
        pieces: list[list[Work[FanOutPage]]] = []
        room = 0
        for same in by_range.values():
            members = same[-1].task.members
            if not pieces or members > room:
                pieces.append([])
                room = self._page_members
            pieces[-1] += same
            room -= members
        return pieces

    def apply(self, works: Sequence[Work[FanOutPage]], verdicts: TaskVerdicts) -> None:
        """Tell the members of these pages. Raises Unavailable; what is repeated is known by its seqs.

        Three cache round trips and one to the broker, whatever the number of members; one more to the cache and one to
        the database for what the cache does not know, and one for messages with more reactions than are listed.
        """
        now_ms = self._clock.now_ms()
        state = self._load(works)
        by_range: dict[Range, list[Work[FanOutPage]]] = {}
        letters: list[OutgoingRecord] = []
        for one in works:
            if any(place not in state.messages for place in _places(one.task)):
                # A task is written after its messages were committed: one that names another is at fault.
                detail = "names a message that is not stored"
                letters.append(dead_letter(one.source, reason="bad_data", detail=detail, now_ms=now_ms))
            else:
                by_range.setdefault(_range(one.task), []).append(one)
        planned = [self._plan(same, state, now_ms) for same in by_range.values()]
        self._producer.produce([*(record for page in planned for record in page.records), *letters])
        mark_done(self._cache, [(one.task.cut, one.task.page) for one in works])
        verdicts.dead_letters += len(letters)
        verdicts.told += sum(page.told for page in planned)
        verdicts.away += sum(page.away for page in planned)

    def _plan(self, same: Sequence[Work[FanOutPage]], state: _State, now_ms: int) -> PlannedPage:
        return plan_page(
            [Telling(fan_out=one.task.fan_out, trace=one.record.trace) for one in same],
            page=same[0].task.page,
            members=state.members[_range(same[0].task)],
            messages=state.messages,
            connections=state.connections,
            unlisted=state.unlisted,
            now_ms=now_ms,
        )

    def _load(self, works: Sequence[Work[FanOutPage]]) -> _State:
        places = {place for one in works for place in _places(one.task)}
        # Of several fan-outs the latest members: they say the same of what was stored before.
        versions: dict[Range, int] = {}
        for one in works:
            versions[_range(one.task)] = max(versions.get(_range(one.task), 0), one.task.fan_out.members_version)
        keys = {held: PageKey(held[0], version, *held[1:]) for held, version in versions.items()}
        messages, pages = self._values.get_each([(MESSAGES, places), (MEMBER_PAGES, keys.values())])
        members: dict[Range, MemberPage] = {held: pages[key] for held, key in keys.items()}
        connections = self._connections.find({user for page in members.values() for user in page.user_ids})
        return _State(
            messages=messages, members=members, connections=connections, unlisted=self._unlisted(messages, members)
        )

    def _unlisted(
        self, messages: dict[Place, StoredMessage], members: dict[Range, MemberPage]
    ) -> frozenset[ReactionKey]:
        reacted = [
            (message, page.user_ids)
            for held, page in members.items()
            for (conversation_id, _), message in messages.items()
            if conversation_id == held[0] and message.reactions
        ]
        return self._database.read(lambda tx: find_unlisted_viewers(tx, reacted)) if reacted else frozenset()


def _range(page: FanOutPage) -> Range:
    return page.fan_out.conversation_id, page.after_user_id, page.up_to_user_id


def _places(page: FanOutPage) -> Iterator[Place]:
    return ((page.fan_out.conversation_id, one.seq) for one in page.fan_out.messages)
