"""The key that a stage's data is encrypted with, where the account wants one of its own."""

from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk_app.parts.keeping import removal
from cdk_app.settings import Stage


class KeyStack(Stack):
    """One key for database, broker, cache, files and secrets: who may use it may read them all anyway."""

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage, **options: Any) -> None:
        super().__init__(scope, construct_id, **options)
        self.key = kms.Key(
            self,
            "Key",
            alias=f"alias/{stage.prefix}",
            description=f"GoChat {stage.name}: data at rest",
            enable_key_rotation=True,
            # Without the key nothing can be read again: the longest time to think better of it.
            pending_window=Duration.days(30),
            removal_policy=removal(keep=stage.keep),
        )
