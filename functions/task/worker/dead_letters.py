"""Keeps records that `push` gives up: it can't reach the dead-letter topic from outside the VPC."""

from base64 import b64decode

from gochat_aws.kafka_producer import OutgoingRecord, RecordProducer
from gochat_contracts.deliver_reports import DeadLetters
from gochat_contracts.records import DEAD_LETTER_TOPIC, encode


def keep_dead_letters(producer: RecordProducer, letters: DeadLetters) -> None:
    """Write them to the dead-letter topic; raises Unavailable, and Lambda then invokes again."""
    producer.produce(
        [
            OutgoingRecord(
                topic=DEAD_LETTER_TOPIC, key=b64decode(one.key) if one.key is not None else b"", value=encode(one)
            )
            for one in letters.letters
        ]
    )
