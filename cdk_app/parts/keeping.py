"""What outlives its stack: it stays when the stack goes, and goes when the stack's first creation fails."""

from aws_cdk import CfnDeletionPolicy, CfnResource, RemovalPolicy
from constructs import IConstruct


def removal(*, keep: bool) -> RemovalPolicy:
    """Return the policy of what is kept, or is not.

    `RetainExceptOnCreate`, because plain `Retain` leaves the names taken when a first creation fails, and no other
    creation succeeds (CloudFormation template reference, "DeletionPolicy attribute").
    """
    return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if keep else RemovalPolicy.DESTROY


def free_names_of_failed_creations(scope: IConstruct) -> None:
    """Give everything below a construct that is retained the policy above, where the construct takes `RETAIN` alone."""
    for construct in scope.node.find_all():
        if isinstance(construct, CfnResource) and construct.cfn_options.deletion_policy == CfnDeletionPolicy.RETAIN:
            construct.cfn_options.deletion_policy = CfnDeletionPolicy.RETAIN_EXCEPT_ON_CREATE
