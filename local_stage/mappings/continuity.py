"""Notices records that a fetch has left out, so that they are asked for once more."""

PATIENCE_S = 2.0
"""How long a missing record is asked for. What is still not there then was never written, or has been deleted: the
offsets of transaction markers, of compacted or expired records. Far longer than a broker needs to put a batch away."""


class Continuity:
    """Follows the offsets of one topic's partitions.

    Tansu's memory engine raises the high watermark of a partition before the batch is in its place (its function
    `produce`): a fetch in between is given the batch after it, and a consumer that goes on from there never sees the
    record, though it was acknowledged. Under load that is one record in some ten thousand. Kafka itself never does.
    """

    def __init__(self) -> None:
        self._expected: dict[int, int] = {}
        self._missing_since_s: dict[int, float] = {}

    def begin(self, partition: int, offset: int | None) -> None:
        """Expect this offset next; None: whatever comes first."""
        self.forget(partition)
        if offset is not None:
            self._expected[partition] = offset

    def forget(self, partition: int) -> None:
        """Expect nothing of this partition any more."""
        self._expected.pop(partition, None)
        self._missing_since_s.pop(partition, None)

    def find_missing(self, partition: int, offset: int, *, now_s: float) -> int | None:
        """Return the offset from which to read again, because records are missing before this one; None to take it."""
        expected = self._expected.get(partition, offset)
        if offset > expected:
            since_s = self._missing_since_s.setdefault(partition, now_s)
            if now_s - since_s < PATIENCE_S:
                return expected
        self._missing_since_s.pop(partition, None)
        self._expected[partition] = offset + 1
        return None
