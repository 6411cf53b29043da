"""The web page: its files in a private bucket, and CloudFront before it, which alone may read them."""

import json
from pathlib import Path
from typing import Any

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from cdk_app import bundling
from cdk_app.acknowledgements import acknowledge
from cdk_app.parts.code import CodeLibrary
from cdk_app.parts.custom_resource import declare_custom_resource
from cdk_app.parts.function import FunctionContext
from cdk_app.settings import Stage
from cdk_app.stacks.media import media_bucket
from cdk_app.stores import allow

PAGE = Path(__file__).resolve().parents[2] / "web"

_HEADERS = PAGE / "headers.json"
"""The headers of every answer; the local stage's server reads the same file."""

_HTTPS_ALONE = Duration.days(365)


class WebStack(Stack):
    """The page of a stage."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        bundler: bundling.Bundler,
        http_url: str,
        websocket_urls: list[str],
        **options: Any,
    ) -> None:
        super().__init__(scope, construct_id, **options)
        self._stage = stage
        self._bucket = self._declare_bucket()
        self._distribution = self._declare_distribution(self._declare_headers(http_url, websocket_urls))
        self._put_files(CodeLibrary(self, bundler), http_url)
        name = self._name_it() or self._distribution.distribution_domain_name
        CfnOutput(self, "WebUrl", value=f"https://{name}")

    def _declare_bucket(self) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            # Everything in it comes from this repository; whatever empties it is the files' own resource.
            removal_policy=RemovalPolicy.DESTROY,
        )
        acknowledge(
            bucket, "AwsSolutions-S1", "It holds a page that everybody may read, and CloudFront alone reads it."
        )
        return bucket

    def _declare_headers(self, http_url: str, websocket_urls: list[str]) -> cloudfront.ResponseHeadersPolicy:
        """Tell browsers what the page may do: nothing that is not its own, its service's or its files'."""
        wanted: dict[str, str] = json.loads(_HEADERS.read_text())
        media = media_bucket(self._stage).endpoint(None)
        sources = {"api": http_url, "websocket": " ".join(websocket_urls), "media": media}
        policy = wanted.pop("content-security-policy").format(**sources)
        override = {"override": True}
        for name in ("referrer-policy", "x-content-type-options", "x-frame-options"):
            del wanted[name]  # CloudFront has fields of its own for them
        return cloudfront.ResponseHeadersPolicy(
            self,
            "Headers",
            security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
                content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
                    content_security_policy=policy, **override
                ),
                content_type_options=cloudfront.ResponseHeadersContentTypeOptions(**override),
                frame_options=cloudfront.ResponseHeadersFrameOptions(
                    frame_option=cloudfront.HeadersFrameOption.DENY, **override
                ),
                referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
                    referrer_policy=cloudfront.HeadersReferrerPolicy.NO_REFERRER, **override
                ),
                strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                    access_control_max_age=_HTTPS_ALONE, **override
                ),
            ),
            custom_headers_behavior=cloudfront.ResponseCustomHeadersBehavior(
                custom_headers=[
                    cloudfront.ResponseCustomHeader(header=name, value=value, **override)
                    for name, value in wanted.items()
                ]
            ),
        )

    def _declare_distribution(self, headers: cloudfront.ResponseHeadersPolicy) -> cloudfront.Distribution:
        domains = self._stage.domains
        name = domains.web if domains else None
        arn = domains.web_certificate_arn if domains else None
        distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment=f"GoChat {self._stage.name}: the web page",
            default_root_object="index.html",
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.S3BucketOrigin.with_origin_access_control(self._bucket),
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                response_headers_policy=headers,
                compress=True,
            ),
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            # North America and Europe; the page is small and loaded once, so distance matters little.
            price_class=cloudfront.PriceClass.PRICE_CLASS_100,
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021 if arn else None,
            domain_names=[name] if name else None,
            certificate=acm.Certificate.from_certificate_arn(self, "Certificate", arn) if arn else None,
        )
        public = "Everybody may load the page, from everywhere: there is no data in it."
        acknowledge(distribution, "AwsSolutions-CFR1", public)
        acknowledge(distribution, "AwsSolutions-CFR2", f"{public} The APIs behind it throttle by themselves.")
        acknowledge(distribution, "AwsSolutions-CFR3", f"{public} What users do stands in the access logs of the APIs.")
        if not arn:
            acknowledge(
                distribution,
                "AwsSolutions-CFR4",
                "CloudFront's own certificate, which it has for names under cloudfront.net, comes with its own minimum "
                "of TLS; a name of one's own (`domains.web`) raises it to 1.2.",
            )
        return distribution

    def _put_files(self, code: CodeLibrary, http_url: str) -> None:
        source = assets.Asset(self, "Page", path=str(PAGE))
        arn = self._bucket.bucket_arn
        context = FunctionContext(stack=self, stage=self._stage, code=code, placement=None)
        files = declare_custom_resource(
            context,
            "WebFiles",
            module="web_files",
            properties={
                "SourceBucket": source.s3_bucket_name,
                "SourceKey": source.s3_object_key,
                "Bucket": self._bucket.bucket_name,
                "ApiUrl": http_url,
            },
            statements=[
                allow(["GetObject"], [f"{source.bucket.bucket_arn}/{source.s3_object_key}"], "s3"),
                allow(["ListBucket"], [arn], "s3"),
                allow(["PutObject", "DeleteObject"], [f"{arn}/*"], "s3"),
            ],
        )
        bucket = self.get_logical_id(self._bucket.node.default_child)  # type: ignore[arg-type]
        reason = "The files of the page come and go with its releases; the bucket holds nothing else."
        acknowledge(self, f"AwsSolutions-IAM5[Resource::<{bucket}.Arn>/*]", reason)
        # Deleted before the policy that lets CloudFront read them: nobody is shown half a page.
        files.node.add_dependency(self._bucket)

    def _name_it(self) -> str | None:
        """Let the hosted zone lead to the page, where it has a name of its own."""
        domains = self._stage.domains
        if not domains or not domains.web:
            return None
        # Where whoever keeps their zone elsewhere points a CNAME at.
        CfnOutput(self, "WebTarget", value=self._distribution.distribution_domain_name)
        if domains.hosted_zone_id and domains.zone_name:
            zone = route53.HostedZone.from_hosted_zone_attributes(
                self, "Zone", hosted_zone_id=domains.hosted_zone_id, zone_name=domains.zone_name
            )
            target = route53.RecordTarget.from_alias(targets.CloudFrontTarget(self._distribution))
            route53.ARecord(self, "Record", zone=zone, record_name=f"{domains.web}.", target=target)
            route53.AaaaRecord(self, "RecordV6", zone=zone, record_name=f"{domains.web}.", target=target)
        return domains.web
