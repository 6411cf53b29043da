"""Notices that a topic was made anew under its old name, as after a restart of a broker that keeps nothing."""

from concurrent.futures import Future

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._topic import TopicDescription

from local_stage.mappings.quiet import KAFKA_LOG

_TIMEOUT_S = 2.0


class TopicIdentity:
    """Compare the topic's id (KIP-516) with the one known, whenever something made it doubtful; never waits.

    Offsets alone would not tell: the new topic may already have grown past the position in the old one.
    """

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._topic = topic
        self._admin = AdminClient(
            {"bootstrap.servers": bootstrap, "reconnect.backoff.max.ms": 500, "log_level": 3}, logger=KAFKA_LOG
        )
        self._known: str | None = None
        self._asked: Future[TopicDescription] | None = None
        self.doubtful = True

    def has_changed(self) -> bool:
        """Say whether the topic is another one than before; False as long as that is not known."""
        if self._asked is None:
            if self.doubtful:
                self.doubtful = False
                asked = self._admin.describe_topics(TopicCollection([self._topic]), request_timeout=_TIMEOUT_S)
                self._asked = asked[self._topic]
            return False
        if not self._asked.done():
            return False
        answered, self._asked = self._asked, None
        try:
            found = str(answered.result().topic_id)
        except KafkaException:
            self.doubtful = self._known is not None
            return False
        changed = self._known is not None and found != self._known
        self._known = found
        return changed

    @property
    def is_settled(self) -> bool:
        """Whether no question is open: then there is no hurry to call `has_changed` again."""
        return self._asked is None and not self.doubtful

    @property
    def is_known(self) -> bool:
        """Whether the broker ever told the topic's id; not every broker does."""
        return self._known is not None
