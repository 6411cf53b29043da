"""Looks up the addresses of an MSK cluster's brokers, which CloudFormation does not tell."""

import boto3

from cdk_app.custom_resources.answer import Attributes, Context, Event, answer


def handle(event: Event, context: Context) -> None:
    """Answer with the attribute Brokers (host:port,… for IAM over TLS); property: ClusterArn.

    The template also passes what changes the addresses (number of brokers), so that they are looked up again then.
    """
    properties = event["ResourceProperties"]

    def work() -> Attributes:
        if event["RequestType"] == "Delete":
            return {}
        found = boto3.client("kafka").get_bootstrap_brokers(ClusterArn=properties["ClusterArn"])
        brokers = found.get("BootstrapBrokerStringSaslIam")
        if not brokers:
            raise LookupError("the cluster offers no endpoint for IAM authentication")
        return {"Brokers": brokers}

    answer(event, context, "bootstrap-brokers", work)
