"""Answers operators: lists dead letters, shows one, brings some back and notes it."""

from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass

from gochat_aws.kafka_producer import OutgoingRecord, RecordProducer
from gochat_aws.kafka_reader import RecordReader
from gochat_contracts.records import DEAD_LETTER_TOPIC, encode
from gochat_contracts.redrives import FROM_HEADER, NOTE_HEADER, RedriveNote
from gochat_core.clock import Clock
from gochat_core.errors import FieldFault, InvalidRequest
from task.redrive.letters import Box, Letter, Place, read_letters
from task.redrive.may_return import why_not_back
from task.redrive.requests import (
    MAX_LISTED,
    MAX_PLACES,
    Answer,
    Filters,
    Listed,
    Listing,
    ListLetters,
    RedriveLetters,
    Redriven,
    Request,
    ShowLetter,
    Shown,
    Verdict,
)


@dataclass(frozen=True, kw_only=True)
class RedriveDesk:
    """Reads the topic for each request; keeps nothing."""

    reader: RecordReader
    producer: RecordProducer
    clock: Clock
    retention_ms: int

    def answer(self, request: Request) -> Answer:
        """Do what is asked; raises InvalidRequest and Unavailable."""
        match request:
            case ListLetters():
                return self._list(request)
            case ShowLetter():
                return self._show(_parse(request.place))
            case RedriveLetters():
                return self._redrive(request)

    def _list(self, request: ListLetters) -> Listing:
        box = read_letters(self.reader, since_ms=request.filters.since_ms)
        found = [one for one in box.letters.values() if _matches(one, request.filters)]
        return Listing(
            letters=[self._listed(one) for one in found[: min(request.limit, MAX_LISTED)]],
            matched=len(found),
            unreadable=box.unreadable,
            complete=box.complete,
        )

    def _show(self, place: Place) -> Shown:
        found = read_letters(self.reader, since_ms=0).letters.get(place)
        if found is None:
            raise InvalidRequest(faults=[FieldFault(field="place", message="names no dead letter")])
        one = found.letter
        return Shown(
            listed=self._listed(found),
            partition=one.partition,
            offset=one.offset,
            detail=one.detail,
            raw_key=one.key,
            value=one.value,
            headers=one.headers,
        )

    def _redrive(self, request: RedriveLetters) -> Redriven:
        """Bring back what may go, and note it once the broker holds it: who dies in between brings it back again."""
        if len(request.places) > MAX_PLACES:
            raise InvalidRequest(faults=[FieldFault(field="places", message=f"may name at most {MAX_PLACES} letters")])
        box = read_letters(self.reader, since_ms=0)
        places = list(dict.fromkeys(_parse(one) for one in request.places))
        verdicts = [self._verdict(place, box, again=request.again) for place in places]
        if not request.dry_run:
            ready = [box.letters[place] for place, one in zip(places, verdicts, strict=True) if one.outcome == "ready"]
            self._bring_back(ready)
            verdicts = [
                Verdict(place=one.place, outcome="redriven", why=one.why) if one.outcome == "ready" else one
                for one in verdicts
            ]
        return Redriven(verdicts=verdicts)

    def _verdict(self, place: Place, box: Box, *, again: bool) -> Verdict:
        name = _write(place)
        found = box.letters.get(place)
        if found is None:
            return Verdict(
                place=name, outcome="missing", why="" if box.complete else "the topic holds more than was read"
            )
        if why := why_not_back(found.letter, now_ms=self.clock.now_ms()):
            return Verdict(place=name, outcome="refused", why=why)
        if found.redriven_at_ms is not None and not again:
            return Verdict(place=name, outcome="already", why=str(found.redriven_at_ms))
        return Verdict(place=name, outcome="ready", why=found.letter.topic)

    def _bring_back(self, ready: Sequence[Letter]) -> None:
        self.producer.produce([_as_it_came(one) for one in ready])
        now_ms = self.clock.now_ms()
        self.producer.produce([_note(one, now_ms) for one in ready])

    def _listed(self, one: Letter) -> Listed:
        letter = one.letter
        return Listed(
            place=_write(one.place),
            failed_at_ms=letter.failed_at_ms,
            expires_at_ms=letter.failed_at_ms + self.retention_ms,
            function=one.function,
            topic=letter.topic,
            reason=letter.reason,
            key=one.key,
            bytes=len(b64decode(letter.value or "")),
            why_not=why_not_back(letter, now_ms=self.clock.now_ms()),
            redriven_at_ms=one.redriven_at_ms,
        )


def _matches(one: Letter, filters: Filters) -> bool:
    letter = one.letter
    return (
        letter.failed_at_ms >= filters.since_ms
        and (filters.until_ms is None or letter.failed_at_ms < filters.until_ms)
        and filters.topic in (None, letter.topic)
        and filters.reason in (None, letter.reason)
        and filters.function in (None, one.function)
    )


def _as_it_came(one: Letter) -> OutgoingRecord:
    letter = one.letter
    headers = {name: b64decode(value) for name, value in letter.headers.items()}
    headers[FROM_HEADER] = _write(one.place).encode()
    return OutgoingRecord(
        topic=letter.topic,
        key=b64decode(letter.key or ""),
        value=b64decode(letter.value or ""),
        headers=tuple(headers.items()),
    )


def _note(one: Letter, now_ms: int) -> OutgoingRecord:
    partition, offset = one.place
    return OutgoingRecord(
        topic=DEAD_LETTER_TOPIC,
        key=b64decode(one.letter.key or ""),
        value=encode(RedriveNote(partition=partition, offset=offset, redriven_at_ms=now_ms)),
        headers=((NOTE_HEADER, b"1"),),
    )


def _write(place: Place) -> str:
    return f"{place[0]}/{place[1]}"


def _parse(text: str) -> Place:
    partition, slash, offset = text.partition("/")
    if not (slash and partition.isdecimal() and offset.isdecimal()):
        raise InvalidRequest(faults=[FieldFault(field="place", message="must be PARTITION/OFFSET")])
    return int(partition), int(offset)
