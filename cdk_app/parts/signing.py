"""The keys that a stage signs with, tokens and pushes: secrets for whoever signs, public halves for the others."""

from aws_cdk import CfnParameter
from aws_cdk import aws_secretsmanager as secretsmanager

from cdk_app.acknowledgements import acknowledge
from cdk_app.parts.custom_resource import declare_custom_resource
from cdk_app.parts.function import FunctionContext
from cdk_app.parts.keeping import removal
from cdk_app.stores import allow, may_use_key

REVISION = "TokenKeysRevision"
"""What `./dev rotate-keys` moves: CloudFormation asks a custom resource again only when a property changes,
and a deployment that names no value keeps the last one."""


def declare_signing_secret(context: FunctionContext) -> str:
    """Declare the secret and return its ARN; `cdk_app/custom_resources/signing_key.py` fills it and says how."""
    description = "GoChat: Ed25519 keys that sign access tokens, HMAC key of refresh tokens"
    return _declare_secret(context, "SigningSecret", "token-signing", description)


def declare_vapid_key(context: FunctionContext) -> tuple[str, str]:
    """Declare the key of web push; returns its secret's ARN and its public half (RFC 8292).

    `cdk_app/custom_resources/vapid_key.py` makes it once. It is there before anything is sent with it, so that browsers
    which have subscribed need not do so again when a stage begins to send.
    """
    description = "GoChat: the key that identifies this stage to push services of browsers"
    secret_arn = _declare_secret(context, "VapidSecret", "web-push", description)
    resource = declare_custom_resource(
        context,
        "VapidKey",
        module="vapid_key",
        properties={"SecretArn": secret_arn},
        statements=[
            allow(["GetSecretValue", "PutSecretValue"], [secret_arn], "secretsmanager"),
            *may_use_key(context.key_arn),
        ],
        needs_wheels=True,
    )
    return secret_arn, resource.get_att_string("PublicKey")


def _declare_secret(context: FunctionContext, construct_id: str, name: str, description: str) -> str:
    """Declare a secret without a value, which CDK's own construct can't.

    A value in the template, even an empty one, could be written over the keys by any later update of the secret.
    """
    secret = secretsmanager.CfnSecret(
        context.stack,
        construct_id,
        name=f"{context.stage.prefix}/{name}",
        description=description,
        kms_key_id=context.key_arn,
    )
    acknowledge(
        secret,
        "AwsSolutions-SMG4",
        "What was signed with a key must stay good for as long as it lives: keys are replaced by adding to them, when "
        "an operator asks for it (docs/operations.md).",
    )
    secret.apply_removal_policy(removal(keep=context.stage.keep))
    return secret.attr_id


def declare_public_keys(context: FunctionContext, secret_arn: str, *, creates: bool) -> str:
    """Return the JWKS of the keys in the secret, making them first where this stack `creates` them.

    Every stack that verifies reads them itself: exported by one stack, they could never be added to.
    """
    revision = CfnParameter(
        context.stack, REVISION, type="String", default="first", description="Changes when signing keys were rotated"
    )
    actions = ["GetSecretValue", "PutSecretValue"] if creates else ["GetSecretValue"]
    resource = declare_custom_resource(
        context,
        "SigningKey",
        module="signing_key",
        properties={
            "SecretArn": secret_arn,
            "MayCreate": "true" if creates else "false",
            "Revision": revision.value_as_string,
        },
        statements=[allow(actions, [secret_arn], "secretsmanager"), *may_use_key(context.key_arn)],
        needs_wheels=True,
    )
    return resource.get_att_string("PublicKeys")
