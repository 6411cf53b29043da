"""Keep the Kafka fields of event source mappings, which MiniStack drops, in both doors: API and CloudFormation."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

from local_stage.aws.pinned import replace, require

Properties = dict[str, Any]

KAFKA_FIELDS = (
    "Topics", "SelfManagedEventSource", "SourceAccessConfigurations", "AmazonManagedKafkaEventSourceConfig",
    "SelfManagedKafkaEventSourceConfig", "ProvisionedPollerConfig", "StartingPosition", "StartingPositionTimestamp",
    "MetricsConfig", "LoggingConfig",
)  # fmt: skip
COMMON_FIELDS = (
    "BatchSize", "MaximumBatchingWindowInSeconds", "FunctionResponseTypes", "MaximumRetryAttempts",
    "MaximumRecordAgeInSeconds", "BisectBatchOnFunctionError", "ParallelizationFactor", "DestinationConfig",
    "FilterCriteria",
)  # fmt: skip
# AWS::Lambda::EventSourceMapping: "Update requires: Replacement".
_REPLACED_WITH = (
    "SelfManagedEventSource", "SelfManagedKafkaEventSourceConfig", "AmazonManagedKafkaEventSourceConfig",
)  # fmt: skip
_NUMBERS = ("BatchSize", "MaximumBatchingWindowInSeconds", "MaximumRetryAttempts", "MaximumRecordAgeInSeconds")
# CreateEventSourceMapping: "Self-managed Apache Kafka - Default 100. Max 10,000."
KAFKA_BATCH_SIZE = 100

require(
    lambda_svc, "_esms", "_create_esm", "_update_esm", "_esm_response", "_resolve_existing_esm_function", "_func_arn"
)
require(provisioners._RESOURCE_HANDLERS, "AWS::Lambda::EventSourceMapping")


def install() -> None:
    """Wrap MiniStack's create and update of event source mappings."""
    _wrap_create()
    _wrap_update()
    _wrap_response()
    _wrap_template_type(provisioners._RESOURCE_HANDLERS["AWS::Lambda::EventSourceMapping"])


def _wrap_create() -> None:
    original = lambda_svc._create_esm

    def create_mapping(data: Properties) -> Any:
        if not data.get("Topics"):
            return original(data)
        name, qualifier, error = lambda_svc._resolve_existing_esm_function(data.get("FunctionName", ""))
        if error:
            return error
        enabled = bool(data.get("Enabled", True))
        mapping = {
            "UUID": str(uuid.uuid4()),
            "EventSourceArn": data.get("EventSourceArn", ""),
            "FunctionArn": lambda_svc._func_arn(name) + (f":{qualifier}" if qualifier else ""),
            "FunctionName": name,
            "Qualifier": qualifier,
            "State": "Enabled" if enabled else "Disabled",
            "StateTransitionReason": "USER_INITIATED",
            "LastModified": int(time.time()),
            "LastProcessingResult": "No records processed",
            "Enabled": enabled,
            "FunctionResponseTypes": [],
        }
        if data.get("Tags"):
            mapping["Tags"] = dict(data["Tags"])
        _complete(mapping, data)
        lambda_svc._esms[mapping["UUID"]] = mapping
        return 202, {"Content-Type": "application/json"}, _body(mapping)

    replace(lambda_svc, "_create_esm", create_mapping)


def _wrap_update() -> None:
    original = lambda_svc._update_esm

    def update_mapping(mapping_id: str, data: Properties) -> Any:
        mapping = lambda_svc._esms.get(mapping_id)
        if mapping is None or not mapping.get("Topics"):
            return original(mapping_id, data)
        if _group_id(data) not in (None, _group_id(mapping)):
            return error_response_json(
                "InvalidParameterValueException", "ConsumerGroupId of an event source mapping cannot be changed.", 400
            )
        response = original(mapping_id, data)
        if response[0] >= 400:
            return response
        _complete(mapping, {name: value for name, value in data.items() if not name.startswith("StartingPosition")})
        return response[0], response[1], _body(mapping)

    replace(lambda_svc, "_update_esm", update_mapping)


def _wrap_response() -> None:
    """Leave an ARN that a self-managed source does not have out of every answer."""
    original = lambda_svc._esm_response

    def response(mapping: Properties) -> Properties:
        answer: Properties = original(mapping)
        if not answer.get("EventSourceArn"):
            answer.pop("EventSourceArn", None)
        return answer

    replace(lambda_svc, "_esm_response", response)


def _body(mapping: Properties) -> bytes:
    return json.dumps(lambda_svc._esm_response(mapping)).encode()


def _wrap_template_type(handlers: dict[str, Any]) -> None:
    original_create, original_update = handlers["create"], handlers["update"]

    def create(logical_id: str, properties: Properties, stack: str) -> Any:
        mapping_id, attributes = original_create(logical_id, properties, stack)
        _complete_by_id(mapping_id, properties)
        return mapping_id, attributes

    def update(physical_id: str, old: Properties, new: Properties, stack: str, *rest: object) -> Any:
        if any(old.get(name) != new.get(name) for name in _REPLACED_WITH):
            replacement = create(physical_id, new, stack)
            handlers["delete"](physical_id, old)
            return replacement
        mapping_id, attributes = original_update(physical_id, old, new, stack, *rest)
        _complete_by_id(mapping_id, new)
        return mapping_id, attributes

    handlers["create"], handlers["update"] = create, update


def _complete_by_id(mapping_id: str, properties: Properties) -> None:
    if properties.get("Topics"):
        mapping = lambda_svc._esms[mapping_id]
        _complete(mapping, properties)
        enabled = str(properties.get("Enabled", True)).lower() != "false"
        mapping["Enabled"], mapping["State"] = enabled, "Enabled" if enabled else "Disabled"


def _complete(mapping: Properties, given: Properties) -> None:
    """Make a mapping's record what AWS's GetEventSourceMapping answers for a Kafka source."""
    for name in (*KAFKA_FIELDS, *COMMON_FIELDS):
        if given.get(name) is not None:
            mapping[name] = int(given[name]) if name in _NUMBERS else given[name]
    if "BatchSize" not in given and "Topics" in given:
        mapping["BatchSize"] = KAFKA_BATCH_SIZE
    if "MaximumBatchingWindowInSeconds" not in given and "Topics" in given:
        # Never set, the window is 500 ms, which no whole number of seconds can say: the field is left out.
        mapping.pop("MaximumBatchingWindowInSeconds", None)
    if "BisectBatchOnFunctionError" in mapping:
        mapping["BisectBatchOnFunctionError"] = str(mapping["BisectBatchOnFunctionError"]).lower() == "true"
    source = mapping.get("SelfManagedEventSource")
    if source:
        endpoints = source.get("Endpoints") or {}
        servers = endpoints.get("KAFKA_BOOTSTRAP_SERVERS") or endpoints.get("KafkaBootstrapServers") or []
        mapping["SelfManagedEventSource"] = {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": servers}}
    # "The default value … is the UUID of the event source mapping" (SelfManagedKafkaEventSourceConfig).
    settings = "SelfManagedKafkaEventSourceConfig" if source else "AmazonManagedKafkaEventSourceConfig"
    mapping[settings] = {"ConsumerGroupId": mapping["UUID"], **(mapping.get(settings) or {})}
    _whole_numbers(mapping.get("ProvisionedPollerConfig"))


def _whole_numbers(settings: Properties | None) -> None:
    for name, value in list((settings or {}).items()):
        if settings is not None and isinstance(value, str) and value.isdigit():
            settings[name] = int(value)


def _group_id(given: Properties) -> str | None:
    for name in ("SelfManagedKafkaEventSourceConfig", "AmazonManagedKafkaEventSourceConfig"):
        group: str | None = (given.get(name) or {}).get("ConsumerGroupId")
        if group:
            return group
    return None
