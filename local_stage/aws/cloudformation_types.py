"""Teach MiniStack's CloudFormation the resource types of the local stage's templates that it does not know."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import apigateway
from ministack.services.cloudformation import provisioners

from local_stage.aws.pinned import require

Properties = dict[str, Any]
Attributes = dict[str, Any]
Created = tuple[str, Attributes]

require(provisioners, "_RESOURCE_HANDLERS")
require(
    apigateway,
    "_create_route_response", "_update_route_response", "_delete_route_response",
    "_create_integration_response", "_update_integration_response", "_delete_integration_response",
    "_create_deployment", "_delete_deployment", "_route_responses", "_integration_responses", "_deployments",
)  # fmt: skip


def install() -> None:
    """Register the types; a type that MiniStack itself provides stays MiniStack's."""
    handlers = provisioners._RESOURCE_HANDLERS
    handlers.setdefault("AWS::ApiGatewayV2::RouteResponse", _api_child("route", "RouteId"))
    handlers.setdefault("AWS::ApiGatewayV2::IntegrationResponse", _api_child("integration", "IntegrationId"))
    handlers.setdefault(
        "AWS::ApiGatewayV2::Deployment",
        {"create": _create_deployment, "update": _keep, "delete": _delete_deployment},
    )
    for resource_type, attributes in _INERT.items():
        handlers.setdefault(resource_type, _inert(attributes))
    _complete_vpc(handlers["AWS::EC2::VPC"])


def _api_child(kind: str, parent_property: str) -> dict[str, Callable[..., Any]]:
    """Make the handlers of a route's or an integration's response, over MiniStack's own API operations."""
    operation = {verb: getattr(apigateway, f"_{verb}_{kind}_response") for verb in ("create", "update", "delete")}
    table = getattr(apigateway, f"_{kind}_responses")
    identity = f"{kind}ResponseId"

    def create(_logical_id: str, properties: Properties, _stack: str) -> Created:
        api_id, parent = properties["ApiId"], _last_part(properties[parent_property])
        response = operation["create"](api_id, parent, _camel_case(properties))
        child = next(reversed(table.get(api_id, {}).get(parent, {})), None) if response[0] == 201 else None
        if child is None:
            raise ValueError(f"AWS::ApiGatewayV2 {kind} response: {response[2].decode()}")
        return child, {identity[0].upper() + identity[1:]: child}

    def update(physical_id: str, old: Properties, new: Properties, stack: str, *_: object) -> Created:
        if (old["ApiId"], old[parent_property]) != (new["ApiId"], new[parent_property]):
            return create("", new, stack)
        operation["update"](new["ApiId"], _last_part(new[parent_property]), physical_id, _camel_case(new))
        return physical_id, {identity[0].upper() + identity[1:]: physical_id}

    def delete(physical_id: str, properties: Properties) -> None:
        operation["delete"](properties["ApiId"], _last_part(properties[parent_property]), physical_id)

    return {"create": create, "update": update, "delete": delete}


def _create_deployment(_logical_id: str, properties: Properties, _stack: str) -> Created:
    api_id = properties["ApiId"]
    response = apigateway._create_deployment(api_id, _camel_case(properties))
    if response[0] >= 400:
        raise ValueError(f"AWS::ApiGatewayV2::Deployment: {response[2].decode()}")
    deployment = next(reversed(apigateway._deployments[api_id]))
    return deployment, {"DeploymentId": deployment}


def _delete_deployment(physical_id: str, properties: Properties) -> None:
    apigateway._delete_deployment(properties["ApiId"], physical_id)


def _inert(attributes: Callable[[str], Attributes]) -> dict[str, Callable[..., Any]]:
    """Make handlers for a resource that exists by name only: nothing on the local stage acts on it."""

    def create(_logical_id: str, properties: Properties, _stack: str) -> Created:
        physical_id = properties.get("Name") or properties.get("GroupName") or uuid.uuid4().hex[:17]
        return physical_id, attributes(physical_id)

    return {"create": create, "update": _keep, "delete": lambda _physical_id, _properties: None}


def _keep(physical_id: str, _old: Properties, _new: Properties, _stack: str, *_: object) -> Created:
    return physical_id, {}


def _complete_vpc(handlers: dict[str, Callable[..., Any]]) -> None:
    """Give a VPC the attributes that the CDK's subnets and security groups read."""
    original = handlers["create"]

    def create(logical_id: str, properties: Properties, stack: str) -> Created:
        physical_id, attributes = original(logical_id, properties, stack)
        block = properties.get("CidrBlock", "10.0.0.0/16")
        return physical_id, {"CidrBlock": block, "CidrBlockAssociations": [physical_id], **(attributes or {})}

    handlers["create"] = create


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{get_region()}:{get_account_id()}:{resource}"


# Monitoring and network types that a local template may carry and that have no effect on a laptop.
_INERT: dict[str, Callable[[str], Attributes]] = {
    "AWS::ApiGatewayV2::Model": lambda name: {"ModelId": name},
    "AWS::ApplicationAutoScaling::ScalableTarget": lambda name: {"Id": name},
    "AWS::ApplicationAutoScaling::ScalingPolicy": lambda name: {"Arn": _arn("autoscaling", name)},
    "AWS::CloudWatch::AnomalyDetector": lambda name: {"Id": name},
    "AWS::CloudWatch::CompositeAlarm": lambda name: {"Arn": _arn("cloudwatch", f"alarm:{name}")},
    "AWS::EC2::FlowLog": lambda name: {"Id": name},
    "AWS::EC2::SecurityGroupEgress": lambda name: {"Id": name},
    "AWS::EC2::SecurityGroupIngress": lambda name: {"Id": name},
    "AWS::Logs::QueryDefinition": lambda name: {"QueryDefinitionId": name},
    "AWS::SecretsManager::ResourcePolicy": lambda name: {"Id": name},
    "AWS::SecretsManager::RotationSchedule": lambda name: {"Id": name},
    "AWS::SNS::TopicInlinePolicy": lambda _name: {},
    "AWS::SQS::QueueInlinePolicy": lambda _name: {},
    "AWS::XRay::Group": lambda name: {"GroupARN": _arn("xray", f"group/{name}")},
    "AWS::XRay::SamplingRule": lambda name: {"RuleARN": _arn("xray", f"sampling-rule/{name}")},
}


def _last_part(reference: str) -> str:
    """MiniStack's Ref of a route is `api-id/route-id`; AWS's is the route id."""
    return reference.rpartition("/")[2]


def _camel_case(properties: Properties) -> dict[str, Any]:
    """Turn template property names into the API's; what lies below them is data and stays."""
    return {name[0].lower() + name[1:]: value for name, value in properties.items()}
