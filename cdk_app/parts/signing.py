"""The keys that tokens are signed with: a secret for whoever signs, the public half for whoever verifies."""

from aws_cdk import CfnParameter, RemovalPolicy
from aws_cdk import aws_secretsmanager as secretsmanager

from cdk_app.parts.custom_resource import declare_custom_resource
from cdk_app.parts.function import FunctionContext
from cdk_app.stores import allow, may_use_key

REVISION = "TokenKeysRevision"
"""What `./dev rotate-keys` moves: CloudFormation asks a custom resource again only when a property changes,
and a deployment that names no value keeps the last one."""


def declare_signing_secret(context: FunctionContext) -> str:
    """Declare the secret and return its ARN; `cdk_app/custom_resources/signing_key.py` fills it and says how.

    Declared without a value, which CDK's own construct can't: a value in the template, even an empty one, could be
    written over the keys by any later update of the secret.
    """
    secret = secretsmanager.CfnSecret(
        context.stack,
        "SigningSecret",
        name=f"{context.stage.prefix}/token-signing",
        description="GoChat: Ed25519 keys that sign access tokens, HMAC key of refresh tokens",
        kms_key_id=context.key_arn,
    )
    secret.apply_removal_policy(RemovalPolicy.RETAIN if context.stage.keep else RemovalPolicy.DESTROY)
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
