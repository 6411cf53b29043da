"""What stands beside the dead letters once they are brought back: notes in the same topic, which outlive no letter."""

from gochat_contracts.records import Record

NOTE_HEADER = "redriven"
"""A record of the dead-letter topic with this header is a `RedriveNote`, no letter."""

FROM_HEADER = "redriven-from"
"""Says in a record that was brought back which dead letter it was: `PARTITION/OFFSET`."""


class RedriveNote(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The dead letter at this place of the topic was brought back; key: the letter's."""

    partition: int
    offset: int
    redriven_at_ms: int
