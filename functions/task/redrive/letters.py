"""The dead letters as the topic holds them, with what is noted of each."""

from base64 import b64decode
from dataclasses import dataclass, field

from gochat_aws.kafka_reader import HeldRecord, RecordReader
from gochat_contracts.records import DEAD_LETTER_TOPIC, DeadLetter, UnreadableRecordError, decode
from gochat_contracts.redrives import NOTE_HEADER, RedriveNote
from task.redrive.origin import function_of

MAX_RECORDS = 20_000
MAX_BYTES = 64 * 1024 * 1024
"""What one reading takes in; of more, an operator asks for a shorter time."""

Place = tuple[int, int]
"""Partition and offset in the dead-letter topic."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """One dead letter."""

    place: Place
    letter: DeadLetter
    redriven_at_ms: int | None = None

    @property
    def function(self) -> str:
        """Which function gave the record up."""
        return function_of(self.letter.topic)

    @property
    def key(self) -> str:
        """The record's key, an id."""
        return b64decode(self.letter.key or "").decode("utf-8", "replace")


@dataclass(kw_only=True)
class Box:
    """What was read: letters by their place, oldest first; `unreadable` counts what is neither letter nor note."""

    letters: dict[Place, Letter] = field(default_factory=dict)
    unreadable: int = 0
    complete: bool = True


def read_letters(reader: RecordReader, *, since_ms: int) -> Box:
    """Read what was given up since then, and what was noted of it, up to now. Raises Unavailable."""
    held = reader.read(DEAD_LETTER_TOPIC, since_ms=since_ms, max_records=MAX_RECORDS, max_bytes=MAX_BYTES)
    box = Box(complete=held.complete)
    notes: dict[Place, int] = {}
    letters: dict[Place, DeadLetter] = {}
    for record in held.records:
        try:
            if NOTE_HEADER in record.headers:
                note = decode(RedriveNote, record.value or b"")
                notes[note.partition, note.offset] = note.redriven_at_ms
            else:
                letters[_place(record)] = decode(DeadLetter, record.value or b"")
        except UnreadableRecordError:
            box.unreadable += 1
    for place, letter in sorted(letters.items(), key=lambda item: (item[1].failed_at_ms, item[0])):
        box.letters[place] = Letter(place=place, letter=letter, redriven_at_ms=notes.get(place))
    return box


def _place(record: HeldRecord) -> Place:
    return record.partition, record.offset
