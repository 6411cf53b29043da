"""The canary: a function outside the VPC that uses the stage as clients do, and the secret of its accounts.

A function of our own and not CloudWatch Synthetics: that asks $0.0012 for each run, besides the function that it makes
(CloudWatch pricing): $10.50 a month at a run every five minutes, where this takes $0.60, and it would need our client
all the same.
"""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_secretsmanager as secretsmanager

from cdk_app import catalogue
from cdk_app.acknowledgements import acknowledge
from cdk_app.parts.function import FunctionContext
from cdk_app.parts.schedule import declare_schedule
from cdk_app.stores import may_read_secrets


def declare_canary(context: FunctionContext, *, http_url: str) -> None:
    """Declare the function with its schedule and its secret, where the stage has a canary: it may read that alone."""
    settings = context.stage.canary
    if not settings:
        return
    secret = _declare_secret(context)
    function = context.make(
        catalogue.TASK_CANARY,
        environment={
            "GOCHAT_HTTP_URL": http_url,
            "GOCHAT_CANARY_SECRET_ARN": secret,
            "GOCHAT_CANARY_EVERY_MINUTES": str(settings.every_minutes),
        },
        statements=may_read_secrets([secret], context.key_arn),
    )
    declare_schedule(context, catalogue.TASK_CANARY, function, every_minutes=settings.every_minutes, on=settings.on)


def _declare_secret(context: FunctionContext) -> str:
    """Declare a secret that Secrets Manager fills: names and passwords follow from it, and stand in no template.

    It goes with its stack, as accounts do that nobody can log in to any more; the next one names others.
    """
    secret = secretsmanager.CfnSecret(
        context.stack,
        "CanarySecret",
        name=f"{context.stage.prefix}/canary",
        description="GoChat: what the names and passwords of the canary's two accounts follow from",
        kms_key_id=context.key_arn,
        generate_secret_string=secretsmanager.CfnSecret.GenerateSecretStringProperty(
            password_length=48, exclude_punctuation=True
        ),
    )
    acknowledge(
        secret,
        "AwsSolutions-SMG4",
        "With another text the canary has other accounts: it is replaced by deleting it (docs/operations.md).",
    )
    secret.apply_removal_policy(RemovalPolicy.DESTROY)
    return secret.attr_id
