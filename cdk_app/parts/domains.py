"""Names of your own for the APIs: one for REST, one for WebSockets with a path for each cell."""

from collections.abc import Iterable

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets

from cdk_app.settings import Domains


def map_http(stack: Stack, domains: Domains, api_id: str, api_stage: apigateway.CfnStage) -> None:
    """Serve the HTTP API under its own name."""
    _map(stack, "Http", _declare(stack, "HttpDomain", domains, domains.http), api_id, api_stage)


def map_cells(stack: Stack, domains: Domains, cells: Iterable[tuple[str, str, apigateway.CfnStage]]) -> None:
    """Serve the cells (id, API, stage) under one name, each at the path that is its id."""
    domain = _declare(stack, "WebSocketDomain", domains, domains.websocket)
    for cell_id, api_id, api_stage in cells:
        _map(stack, f"Cell{cell_id.capitalize()}", domain, api_id, api_stage, key=cell_id)


def _declare(stack: Stack, construct_id: str, domains: Domains, name: str) -> apigateway.DomainName:
    """Declare a name, regional and with TLS 1.2 at least, and let the hosted zone lead to it."""
    certificate = acm.Certificate.from_certificate_arn(stack, f"{construct_id}Certificate", domains.certificate_arn)
    domain = apigateway.DomainName(
        stack,
        construct_id,
        domain_name=name,
        certificate=certificate,
        endpoint_type=apigateway.EndpointType.REGIONAL,
        security_policy=apigateway.SecurityPolicy.TLS_1_2,
    )
    # Where whoever keeps their zone elsewhere points a CNAME at.
    CfnOutput(stack, f"{construct_id}Target", value=domain.regional_domain_name)
    if domains.hosted_zone_id and domains.zone_name:
        zone = route53.HostedZone.from_hosted_zone_attributes(
            stack, f"{construct_id}Zone", hosted_zone_id=domains.hosted_zone_id, zone_name=domains.zone_name
        )
        target = route53.RecordTarget.from_alias(
            targets.ApiGatewayv2DomainProperties(domain.regional_domain_name, domain.regional_hosted_zone_id)
        )
        route53.ARecord(stack, f"{construct_id}Record", zone=zone, record_name=f"{name}.", target=target)
    return domain


def _map(
    stack: Stack,
    title: str,
    domain: apigateway.DomainName,
    api_id: str,
    api_stage: apigateway.CfnStage,
    *,
    key: str | None = None,
) -> None:
    mapping = apigateway.CfnApiMapping(
        stack, f"{title}Mapping", api_id=api_id, domain_name=domain.name, stage=api_stage.ref, api_mapping_key=key
    )
    mapping.node.add_dependency(api_stage)
