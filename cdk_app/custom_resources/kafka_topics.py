"""Makes the Kafka topics that CloudFormation can't, by running repo-topics, which stands where Kafka can be reached.

Topics are never deleted: the messages in them may not have been delivered yet.
"""

import json

from cdk_app.custom_resources.answer import Attributes, Context, Event, answer
from cdk_app.custom_resources.inner_function import Patience, run_until_done

MAX_TOLD = 1_000


def handle(event: Event, context: Context) -> None:
    """Make or check the topics; properties: FunctionName, Topics (JSON list), Create, and the cluster's addresses.

    Another list, or another cluster, runs this again. Safe to repeat. Deleting the resource does nothing.
    """
    properties = event["ResourceProperties"]

    def work() -> Attributes:
        if event["RequestType"] == "Delete":
            return {}
        request = {"topics": json.loads(properties["Topics"]), "create": properties["Create"] == "true"}
        patience = Patience(context.get_remaining_time_in_millis)
        made = run_until_done(properties["FunctionName"], request, patience, done="done", store="Kafka")
        return {"Topics": "; ".join(made["told"])[:MAX_TOLD] or "all were there"}

    answer(event, context, "kafka-topics", work)
