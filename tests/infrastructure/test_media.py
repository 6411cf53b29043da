"""The bucket of media: private, encrypted, reached over TLS with URLs that one function signs."""

import dataclasses
from typing import Any

from aws_cdk import App, Environment
from aws_cdk.assertions import Template

from cdk_app import stages
from cdk_app.stacks.media import MediaStack
from tests.infrastructure.synthesis import Synthesis


def _bucket(stage: Synthesis) -> dict[str, Any]:
    properties: dict[str, Any] = stage.one("AWS::S3::Bucket").properties
    return properties


def test_the_bucket_is_private_and_encrypted(stage: Synthesis) -> None:
    bucket = _bucket(stage)
    block = bucket["PublicAccessBlockConfiguration"]
    assert all(block[f"{what}Public{kind}"] for what in ("Block", "Ignore") for kind in ("Acls",))
    assert (block["BlockPublicPolicy"], block["RestrictPublicBuckets"]) == (True, True)
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    keyed = bool(stage.resources("AWS::KMS::Key"))
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == ("aws:kms" if keyed else "AES256")
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]


def test_the_bucket_refuses_everything_but_tls(stage: Synthesis) -> None:
    policy = stage.one("AWS::S3::BucketPolicy").properties["PolicyDocument"]["Statement"]
    assert {statement["Effect"] for statement in policy} == {"Deny"}
    conditions = [statement["Condition"] for statement in policy]
    assert {"Bool": {"aws:SecureTransport": "false"}} in conditions
    assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in conditions


def test_web_pages_upload_from_the_stage_s_origins_alone(local: Synthesis, prod: Synthesis) -> None:
    upload, download = _bucket(local)["CorsConfiguration"]["CorsRules"]
    assert (upload["AllowedMethods"], upload["AllowedOrigins"]) == (["PUT"], ["*"])
    assert upload["AllowedHeaders"] == ["content-type", "content-length"]
    assert (download["AllowedMethods"], download["AllowedOrigins"]) == (["GET", "HEAD"], ["*"])
    assert "CorsConfiguration" not in _bucket(prod)


def test_uploads_that_were_given_up_are_removed_and_no_file_of_a_message(stage: Synthesis) -> None:
    rule, *more = _bucket(stage)["LifecycleConfiguration"]["Rules"]
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert not [one for one in (rule, *more) if "ExpirationInDays" in one]


def test_files_of_prod_that_were_written_over_or_deleted_can_be_had_back(prod: Synthesis) -> None:
    assert _bucket(prod)["VersioningConfiguration"] == {"Status": "Enabled"}
    _, old = _bucket(prod)["LifecycleConfiguration"]["Rules"]
    assert old["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}


def test_files_outlive_the_messages_that_point_at_them_by_a_day() -> None:
    stage = dataclasses.replace(stages.DEV, message_retention_days=29.5)
    media = MediaStack(App(), "Media", stage=stage, key=None, env=Environment(region=stage.region))
    rules = Template.from_stack(media).to_json()["Resources"]["Bucket83908E77"]["Properties"]["LifecycleConfiguration"]
    (expiry,) = [rule for rule in rules["Rules"] if "ExpirationInDays" in rule]
    assert (expiry["ExpirationInDays"], expiry["Prefix"], expiry["Status"]) == (31, "media/", "Enabled")


def test_the_files_of_prod_outlive_their_stack(prod: Synthesis, dev: Synthesis) -> None:
    assert prod.one("AWS::S3::Bucket").body["DeletionPolicy"] == "RetainExceptOnCreate"
    assert dev.one("AWS::S3::Bucket").body["DeletionPolicy"] == "Delete"


def test_one_function_signs_and_only_below_its_prefix(stage: Synthesis) -> None:
    signing = {
        name: [statement for statement in stage.statements(name) if "s3:PutObject" in statement["Action"]]
        for name in stage.functions()
    }
    assert [name for name, statements in signing.items() if statements] == ["logic-rpc"]
    (statement,) = signing["logic-rpc"]
    assert set(statement["Action"]) == {"s3:GetObject", "s3:PutObject"}
    (resource,) = statement["Resource"]
    assert resource["Fn::Join"][1][-1].endswith("/media/*")
    bucket = _bucket(stage)["BucketName"]
    assert str(bucket).split("-media-")[0].endswith(f"gochat-{stage.stage}")
    assert f"gochat-{stage.stage}-media-" in str(resource)


def test_the_endpoint_is_the_bucket_s_own(managed_stage: Synthesis, local: Synthesis) -> None:
    (_, parts) = managed_stage.environment("logic-rpc")["GOCHAT_MEDIA_ENDPOINT"]["Fn::Join"]
    assert parts[0] == f"https://gochat-{managed_stage.stage}-media-"
    assert ".s3." in str(parts)
    (_, parts) = local.environment("logic-rpc")["GOCHAT_MEDIA_ENDPOINT"]["Fn::Join"]
    assert parts == ["http://", {"Ref": "LocalAddress"}, f"/{_bucket(local)['BucketName']}"]
