"""Signing keys are rotated in an order that no token notices."""

import json
from collections.abc import Callable

import boto3
import pytest

from cdk_app.custom_resources.signing_key import KeySet, make_keys, public_keys
from dev_cli.aws.target import Target
from dev_cli.failure import Failure
from dev_cli.signing_keys import key_sets, rotation

NAME = "gochat-dev/token-signing"
FUNCTION = "gochat-dev-gateway-authorize-g1"
NOW_S = 1_800_000_000.0


@pytest.fixture
def keys(dev: Target, make_stack: Callable[..., None]) -> KeySet:
    """A deployed stage with its first key: the secret, a verifying function, a stack that would update it."""
    keys = make_keys()
    boto3.client("secretsmanager").create_secret(Name=NAME, SecretString=json.dumps(keys))
    make_stack("GoChat-dev-Edge", {"Topic": {"Type": "AWS::SNS::Topic"}}, {rotation.REVISION: "first"})
    make_stack("GoChat-dev-Network", {"Topic": {"Type": "AWS::SNS::Topic"}})
    role = boto3.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    boto3.client("lambda").create_function(
        FunctionName=FUNCTION,
        Role=role,
        Runtime="python3.13",
        Handler="h.h",
        Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
        Environment={"Variables": {rotation.PUBLIC_KEYS: public_keys(keys)}},
    )
    return keys


def stored() -> KeySet:
    found: KeySet = json.loads(boto3.client("secretsmanager").get_secret_value(SecretId=NAME)["SecretString"])
    return found


def publish_what_is_stored(told: str) -> None:
    """Do what CloudFormation does at an update: hand the public keys of the secret to the function."""
    if told.startswith("Updating GoChat-dev-Edge"):
        variables = {rotation.PUBLIC_KEYS: public_keys(stored())}
        boto3.client("lambda").update_function_configuration(
            FunctionName=FUNCTION, Environment={"Variables": variables}
        )


def known_to_the_function() -> list[str]:
    function = boto3.client("lambda").get_function_configuration(FunctionName=FUNCTION)
    return [key["kid"] for key in json.loads(function["Environment"]["Variables"][rotation.PUBLIC_KEYS])["keys"]]


def revision() -> str:
    (stack,) = boto3.client("cloudformation").describe_stacks(StackName="GoChat-dev-Edge")["Stacks"]
    return str(stack["Parameters"][0]["ParameterValue"])


def test_verifiers_know_the_new_key_before_it_signs_and_keep_the_old_one(dev: Target, keys: KeySet) -> None:
    seen: list[tuple[str, str]] = []

    def tell(told: str) -> None:
        publish_what_is_stored(told)
        seen.append((told.split(maxsplit=1)[0], stored()["signing_kid"]))

    rotation.rotate(dev, now_s=NOW_S, tell=tell)
    assert [kid for word, kid in seen if word == "Updating"] == [keys["signing_kid"]]
    assert stored()["signing_kid"] != keys["signing_kid"]
    assert known_to_the_function() == key_sets.kids(stored())
    assert len(known_to_the_function()) == 2
    assert revision() != "first"


def test_while_a_verifier_lacks_the_new_key_nobody_signs_with_it(dev: Target, keys: KeySet) -> None:
    with pytest.raises(Failure, match=FUNCTION):
        rotation.rotate(dev, now_s=NOW_S, tell=lambda told: None)
    assert stored()["signing_kid"] == keys["signing_kid"]


def test_given_again_it_goes_on_where_it_was_cut_short(dev: Target, keys: KeySet) -> None:
    with pytest.raises(Failure):
        rotation.rotate(dev, now_s=NOW_S, tell=lambda told: None)
    waiting = key_sets.waiting_key(stored())
    assert waiting is not None
    publish_what_is_stored("Updating GoChat-dev-Edge …")
    rotation.rotate(dev, now_s=NOW_S, tell=publish_what_is_stored)
    assert stored()["signing_kid"] == waiting["kid"]
    assert len(stored()["keys"]) == 2


def test_the_old_key_is_dropped_half_an_hour_later_and_not_before(dev: Target, keys: KeySet) -> None:
    rotation.rotate(dev, now_s=NOW_S, tell=publish_what_is_stored)
    with pytest.raises(Failure, match="still good"):
        rotation.drop_spent_keys(dev, now_s=NOW_S + 60, tell=publish_what_is_stored)
    rotation.drop_spent_keys(dev, now_s=NOW_S + key_sets.OVERLAP_S, tell=publish_what_is_stored)
    assert known_to_the_function() == [stored()["signing_kid"]]


def test_stolen_keys_are_replaced_all_at_once_with_the_key_of_the_refresh_tokens(dev: Target, keys: KeySet) -> None:
    rotation.replace_all(dev, tell=publish_what_is_stored)
    assert keys["signing_kid"] not in known_to_the_function()
    assert stored()["refresh_key"] != keys["refresh_key"]


def test_a_secret_with_other_content_is_left_alone(dev: Target, keys: KeySet) -> None:
    boto3.client("secretsmanager").put_secret_value(SecretId=NAME, SecretString='{"mine": 1}')
    with pytest.raises(Failure, match="does not hold keys"):
        rotation.rotate(dev, now_s=NOW_S, tell=publish_what_is_stored)
    assert boto3.client("secretsmanager").get_secret_value(SecretId=NAME)["SecretString"] == '{"mine": 1}'


def test_a_stage_that_is_not_deployed_has_no_keys(dev: Target) -> None:
    with pytest.raises(Failure, match="no secret"):
        rotation.rotate(dev, now_s=NOW_S, tell=publish_what_is_stored)
