"""Makes the roles by which managed services act in an account, before their first resource needs them."""

from collections.abc import Iterator

from botocore.exceptions import ClientError

from cdk_app.settings import Stage
from cdk_app.store_settings import Managed
from dev_cli.aws.target import Target

LEFT_TO_THE_SERVICE = ("AccessDenied", "AccessDeniedException")
"""Who may not make roles themselves may still deploy by the roles of the CDK's bootstrap, which may."""


def services_of(stage: Stage) -> Iterator[str]:
    """Yield the services of a stage that have a service-linked role."""
    if not isinstance(stage.stores, Managed):
        return
    yield from ("rds.amazonaws.com", "elasticache.amazonaws.com", "kafka.amazonaws.com")
    if stage.stores.database.vault_days:
        yield "backup.amazonaws.com"


def make_service_roles(target: Target) -> list[str]:
    """Make the roles that are missing and return their services; safe to repeat.

    Each service makes its own with its first resource in an account, and uses it in the same breath: in an empty
    account the first subnet group may fail of a role that is not known everywhere yet ("Verify that you have permission
    to create service linked role. Otherwise wait and try again later"). Here it has the minutes of the network.
    """
    client = target.client("iam")
    made = []
    for service in services_of(target.stage):
        try:
            client.create_service_linked_role(AWSServiceName=service)
        except client.exceptions.InvalidInputException:
            continue  # "… has been taken in this account": it is there
        except ClientError as fault:
            if fault.response["Error"]["Code"] not in LEFT_TO_THE_SERVICE:
                raise
            continue
        made.append(service)
    return made
