"""The files that messages point at: one private bucket, which clients reach with signed URLs alone."""

import math
from dataclasses import dataclass
from typing import Any

from aws_cdk import Aws, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_app.acknowledgements import acknowledge
from cdk_app.parts.keeping import removal
from cdk_app.settings import Stage
from cdk_app.stores import allow

UPLOADS = "media/"
"""What clients upload lies below it; the keys are made by functions/logic/media."""

_PREFLIGHT_KEPT_S = 3600


@dataclass(frozen=True, kw_only=True)
class MediaBucket:
    """What the function that signs has to know of the bucket.

    The name is put together and not handed on by an export, which CloudFormation refuses to change while it is in use.
    """

    name: str

    def endpoint(self, local: str | None) -> str:
        """Give the base URL of its objects, without a slash at the end; `local` is the address of the local AWS."""
        if local:
            return f"http://{local}/{self.name}"
        return f"https://{self.name}.s3.{Aws.REGION}.{Aws.URL_SUFFIX}"

    def may_sign(self) -> list[iam.PolicyStatement]:
        """Allow what a signed URL may be used for: it can do no more than its signer."""
        return [allow(["GetObject", "PutObject"], [f"arn:{Aws.PARTITION}:s3:::{self.name}/{UPLOADS}*"], "s3")]


def media_bucket(stage: Stage) -> MediaBucket:
    """Return a stage's bucket; names of buckets are the world's, so account and region stand in it."""
    return MediaBucket(name=f"{stage.prefix}-media-{stage.account or Aws.ACCOUNT_ID}-{stage.region}")


class MediaStack(Stack):
    """The bucket."""

    def __init__(
        self, scope: Construct, construct_id: str, *, stage: Stage, key: kms.IKey | None, **options: Any
    ) -> None:
        super().__init__(scope, construct_id, **options)
        self._stage = stage
        bucket = s3.Bucket(
            self,
            "Bucket",
            bucket_name=media_bucket(stage).name,
            encryption=s3.BucketEncryption.KMS if key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=key,
            # One call to KMS for many files.
            bucket_key_enabled=True if key else None,
            versioned=stage.keep,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            cors=self._cors(),
            lifecycle_rules=self._lifecycle(),
            # Without `keep`, CloudFormation deletes an empty bucket, and refuses to delete one that holds files.
            removal_policy=removal(keep=stage.keep),
        )
        acknowledge(
            bucket,
            "AwsSolutions-S1",
            "Every URL of the bucket is signed by one function, which logs each call with its user; S3's access logs "
            "are best effort and would put those URLs, with their signatures, into another bucket.",
        )

    def _cors(self) -> list[s3.CorsRule]:
        """Let web pages upload from the stage's origins, and read from anywhere.

        A download is reached through a redirect of another origin's, after which browsers send `Origin: null`; whoever
        has a signed URL may read anyway.
        """
        read = s3.CorsRule(
            allowed_methods=[s3.HttpMethods.GET, s3.HttpMethods.HEAD],
            allowed_origins=["*"],
            exposed_headers=["content-disposition", "content-length", "etag"],
            max_age=_PREFLIGHT_KEPT_S,
        )
        if not self._stage.origins:
            return []
        write = s3.CorsRule(
            allowed_methods=[s3.HttpMethods.PUT],
            allowed_origins=list(self._stage.origins),
            allowed_headers=["content-type", "content-length"],
            exposed_headers=["etag"],
            max_age=_PREFLIGHT_KEPT_S,
        )
        return [write, read]

    def _lifecycle(self) -> list[s3.LifecycleRule]:
        rules = [s3.LifecycleRule(id="incomplete-uploads", abort_incomplete_multipart_upload_after=Duration.days(1))]
        if self._stage.message_retention_days:
            # A file is uploaded before its message is sent: a day more, and no message loses its file before its text.
            days = math.ceil(self._stage.message_retention_days) + 1
            rules.append(s3.LifecycleRule(id="message-retention", prefix=UPLOADS, expiration=Duration.days(days)))
        if self._stage.keep:
            # What was deleted or written over by mistake can be had back for a month.
            rules.append(s3.LifecycleRule(id="old-versions", noncurrent_version_expiration=Duration.days(30)))
        return rules
