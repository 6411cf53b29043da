"""The web page on AWS: CloudFront alone reads its files, and browsers are told what the page may do."""

import json
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import pytest

from cdk_app.custom_resources.web_files import TYPES
from cdk_app.stacks.web import PAGE
from cdk_app.stages import DEV, PROD
from local_stage.web.files import WebFiles
from tests.infrastructure.synthesis import Synthesis
from tests.infrastructure.variants import DOMAINS


@pytest.fixture
def web(syntheses: dict[str, Synthesis]) -> Synthesis:
    """A stage that serves the page under CloudFront's name."""
    return syntheses["web-page"]


@pytest.fixture
def named(syntheses: dict[str, Synthesis]) -> Synthesis:
    """A stage that serves it under a name of its own."""
    return syntheses["custom-domain"]


def _distribution(stage: Synthesis) -> dict[str, Any]:
    return dict(stage.one("AWS::CloudFront::Distribution").properties["DistributionConfig"])


def _policy(stage: Synthesis) -> str:
    headers = stage.one("AWS::CloudFront::ResponseHeadersPolicy").properties["ResponseHeadersPolicyConfig"]
    return json.dumps(headers["SecurityHeadersConfig"]["ContentSecurityPolicy"]["ContentSecurityPolicy"])


def test_stages_have_no_page_unless_they_ask_for_one(stage: Synthesis) -> None:
    assert "Web" not in stage.templates


def test_the_files_are_private_and_read_by_this_distribution_alone(web: Synthesis) -> None:
    bucket = web.one("AWS::S3::Bucket", stack="Web").properties
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    statements = web.one("AWS::S3::BucketPolicy", stack="Web").properties["PolicyDocument"]["Statement"]
    (allowed,) = (statement for statement in statements if statement["Effect"] == "Allow")
    assert (allowed["Action"], allowed["Principal"]) == ("s3:GetObject", {"Service": "cloudfront.amazonaws.com"})
    assert "AWS:SourceArn" in allowed["Condition"]["StringEquals"]
    assert {"Bool": {"aws:SecureTransport": "false"}} in [one.get("Condition") for one in statements]


def test_the_page_comes_over_https_alone_with_headers_that_keep_it_to_its_service(web: Synthesis) -> None:
    behavior = _distribution(web)["DefaultCacheBehavior"]
    assert behavior["ViewerProtocolPolicy"] == "redirect-to-https"
    assert "ResponseHeadersPolicyId" in behavior
    policy = _policy(web)
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert policy.count("https://*") == policy.count("wss://*") == 0
    for source in ("gochat-dev-media-", "wss://", ".execute-api."):
        assert source in policy, policy
    headers = web.one("AWS::CloudFront::ResponseHeadersPolicy").properties["ResponseHeadersPolicyConfig"]
    assert headers["SecurityHeadersConfig"]["StrictTransportSecurity"]["AccessControlMaxAgeSec"] == 31_536_000
    assert headers["SecurityHeadersConfig"]["FrameOptions"]["FrameOption"] == "DENY"


def test_every_header_of_the_local_stage_is_there_on_aws(web: Synthesis) -> None:
    local = WebFiles(root=PAGE, api_url="https://a", websocket_urls=("wss://b",)).headers()
    config = web.one("AWS::CloudFront::ResponseHeadersPolicy").properties["ResponseHeadersPolicyConfig"]
    own = {item["Header"] for item in config["CustomHeadersConfig"]["Items"]}
    fields = {"content-security-policy", "x-content-type-options", "x-frame-options", "referrer-policy"}
    assert own | fields == local.keys()
    security = config["SecurityHeadersConfig"]
    assert security["ReferrerPolicy"]["ReferrerPolicy"] == local["referrer-policy"]
    assert security["FrameOptions"]["FrameOption"] == local["x-frame-options"]


def test_the_page_is_told_the_api_s_address(web: Synthesis, named: Synthesis) -> None:
    assert web.one("Custom::WebFiles").properties["ApiUrl"]
    assert named.one("Custom::WebFiles").properties["ApiUrl"] == "https://api.chat.example.org"
    assert "wss://ws.chat.example.org/g1 wss://ws.chat.example.org/g2" in _policy(named)


def test_a_name_of_one_s_own_is_served_with_tls_1_2_and_may_call_the_api(named: Synthesis) -> None:
    assert _distribution(named)["Aliases"] == ["chat.example.org"]
    assert _distribution(named)["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2021"
    (http,) = [api for api in named.resources("AWS::ApiGatewayV2::Api") if api.properties["ProtocolType"] == "HTTP"]
    assert http.properties["CorsConfiguration"]["AllowOrigins"] == ["https://chat.example.org"]
    upload, _ = named.one("AWS::S3::Bucket", stack="Media").properties["CorsConfiguration"]["CorsRules"]
    assert upload["AllowedOrigins"] == ["https://chat.example.org"]
    records = {one.properties["Type"] for one in named.resources("AWS::Route53::RecordSet", stack="Web")}
    assert records == {"A", "AAAA"}


def test_whoever_puts_the_files_there_reaches_no_other_bucket(web: Synthesis) -> None:
    (policy,) = web.one("AWS::IAM::Role", stack="Web").properties["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    rights = {
        action: json.dumps(one["Resource"])
        for one in statements
        for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
        if action.startswith("s3:")
    }
    assert rights.keys() == {"s3:GetObject", "s3:ListBucket", "s3:PutObject", "s3:DeleteObject"}
    assert "*" not in rights["s3:GetObject"]
    assert all("Bucket" in rights[action] for action in ("s3:ListBucket", "s3:PutObject", "s3:DeleteObject"))


def test_a_page_that_could_not_call_its_api_is_refused() -> None:
    with pytest.raises(ValueError, match="web_origins"):
        replace(PROD, web_page=True)
    assert replace(PROD, web_page=True, domains=DOMAINS).origins == ("https://chat.example.org",)
    assert replace(DEV, web_page=True).origins == ("*",)


def test_both_servers_know_the_type_of_every_file_of_the_page() -> None:
    local = WebFiles(root=PAGE, api_url="https://a", websocket_urls=())
    files = [path.relative_to(PAGE) for path in PAGE.rglob("*") if path.is_file()]
    about = {"headers.json", "package.json"}
    for file in files:
        served = local.find(f"/{file}")
        assert (served is None) == (file.as_posix() in about), file
        if served:
            assert TYPES[PurePosixPath(file).suffix] == served.content_type
