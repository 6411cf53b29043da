"""The price file: what AWS asks for, each with its unit, where it was read and when. The only place with prices."""

from dataclasses import dataclass

REGION = "us-east-1"
"""Prices differ between regions by up to a third; these are on demand, without the free tier and without taxes."""

READ_ON = "2026-11-23"


@dataclass(frozen=True, kw_only=True)
class Price:
    """One price. `verified`: read on AWS's page, in its price list, or in a dated quotation of one of them, which
    `source` names and `read_on` dates. Unverified ones are hearsay: look before a decision hangs on them."""

    usd: float
    per: str
    source: str
    read_on: str = READ_ON
    verified: bool = True


_API_GATEWAY = "aws.amazon.com/api-gateway/pricing"
_LAMBDA = "aws.amazon.com/lambda/pricing"
_MSK = "aws.amazon.com/msk/pricing"
_AURORA = "aws.amazon.com/rds/aurora/pricing"
_RDS_PROXY = "aws.amazon.com/rds/proxy/pricing"
_ELASTICACHE = "aws.amazon.com/elasticache/pricing"
_VPC = "aws.amazon.com/vpc/pricing"
_PRIVATELINK = "aws.amazon.com/privatelink/pricing"
_CLOUDWATCH = "aws.amazon.com/cloudwatch/pricing"
_S3 = "aws.amazon.com/s3/pricing"
_EC2 = "aws.amazon.com/ec2/pricing/on-demand"

WEBSOCKET_MESSAGES = Price(usd=1.00, per="million messages of 32 KB, each way", source=_API_GATEWAY)
WEBSOCKET_MESSAGES_BEYOND = Price(usd=0.80, per="million messages beyond a billion", source=_API_GATEWAY)
CONNECTION_MINUTES = Price(usd=0.25, per="million connection minutes", source=_API_GATEWAY)
HTTP_REQUESTS = Price(usd=1.00, per="million requests", source=_API_GATEWAY)

LAMBDA_REQUESTS = Price(usd=0.20, per="million invocations", source=_LAMBDA)
LAMBDA_TIME = Price(usd=0.0000133334, per="GB-second on arm64", source=_LAMBDA)
EVENT_POLLER_UNIT = Price(
    usd=0.185, per="event poller unit (ten Kafka pollers) and hour", source=f"{_LAMBDA}, Provisioned Mode, example 3"
)

BROKER_HOURS = {
    "kafka.t3.small": Price(usd=0.0456, per="broker and hour", source=_MSK),
    "kafka.m7g.large": Price(usd=0.204, per="broker and hour", source=_MSK),
    "express.m7g.large": Price(usd=0.408, per="broker and hour", source=_MSK),
}
BROKER_STORAGE = Price(usd=0.10, per="GB-month", source=_MSK)
EXPRESS_DATA_IN = Price(usd=0.01, per="GB written", source=_MSK)
EXPRESS_STORAGE = Price(
    usd=0.10, per="GB-month", source=f"{_MSK} names no figure in its text; as for standard brokers", verified=False
)
SERVERLESS_HOURS = Price(usd=0.75, per="cluster and hour", source=_MSK, verified=False)
SERVERLESS_PARTITIONS = Price(usd=0.0015, per="partition and hour", source=_MSK, verified=False)
SERVERLESS_DATA_IN = Price(usd=0.10, per="GB written", source=_MSK, verified=False)
SERVERLESS_DATA_OUT = Price(usd=0.05, per="GB read", source=_MSK, verified=False)
SERVERLESS_STORAGE = Price(usd=0.10, per="GB-month", source=_MSK, verified=False)

AURORA_CAPACITY = Price(usd=0.12, per="ACU-hour", source=_AURORA)
AURORA_STORAGE = Price(usd=0.10, per="GB-month", source=_AURORA)
AURORA_IO = Price(usd=0.20, per="million requests", source=_AURORA)
RDS_PROXY = Price(
    usd=0.015,
    per="ACU-hour, of 8 at least",
    source=f"{_RDS_PROXY}; the price list has 0.015 a vCPU-hour, the rate of an ACU is told by third parties",
    verified=False,
)
BACKUP_STORAGE = Price(usd=0.021, per="GB-month", source="AWS price list, AmazonRDS, Aurora:BackupUsage")

CACHE_STORAGE = {
    "valkey": Price(usd=0.084, per="GB-hour, of 0.1 GB at least", source=_ELASTICACHE),
    "redis": Price(usd=0.125, per="GB-hour, of 1 GB at least", source=_ELASTICACHE),
}
CACHE_UNITS = {
    "valkey": Price(usd=0.0023, per="million ECPU", source=_ELASTICACHE),
    "redis": Price(usd=0.0034, per="million ECPU", source=_ELASTICACHE),
}

INTERFACE_ENDPOINT = Price(usd=0.01, per="endpoint, zone and hour", source=_PRIVATELINK)
PROXY_ENDPOINT = Price(
    usd=0.01,
    per="zone and hour, as an interface endpoint",
    source=f"{_RDS_PROXY}, on additional endpoints",
    verified=False,
)
NAT_GATEWAY = Price(usd=0.045, per="gateway and hour", source=_VPC)
NAT_DATA = Price(usd=0.045, per="GB", source=_VPC)
PUBLIC_ADDRESS = Price(
    usd=0.005,
    per="public IPv4 address and hour",
    source=f"{_VPC}; AWS News Blog of July 2023 on its public IPv4 charge",
)
DATA_OUT = Price(usd=0.09, per="GB to the internet", source=_EC2)

LOGS_IN = Price(usd=0.50, per="GB taken in", source=_CLOUDWATCH)
LOGS_KEPT = Price(usd=0.03, per="GB-month", source=_CLOUDWATCH)
CUSTOM_METRIC = Price(
    usd=0.30,
    per="metric and month",
    source=f"{_CLOUDWATCH}, as quoted by cloudburn.io/blog/amazon-cloudwatch-pricing",
    read_on="2026-02-28",
)
ALARM = Price(usd=0.10, per="alarm metric and month", source=_CLOUDWATCH)
COMPOSITE_ALARM = Price(usd=0.50, per="composite alarm and month", source=_CLOUDWATCH, verified=False)
DASHBOARD = Price(usd=3.00, per="dashboard and month", source=_CLOUDWATCH)
TRACES = Price(usd=5.00, per="million traces recorded", source="aws.amazon.com/xray/pricing")

SECRET = Price(
    usd=0.40, per="secret and month", source="AWS price list, AWSSecretsManager, USE1-AWSSecretsManager-Secrets"
)
KEY = Price(
    usd=1.00,
    per="key and month, and as much for each of its first two yearly rotations",
    source="aws.amazon.com/kms/pricing",
)
SCHEDULED_RUNS = Price(
    usd=1.00,
    per="million runs",
    source="aws.amazon.com/eventbridge/pricing, as quoted by cloudburn.io/blog/amazon-eventbridge-pricing",
    read_on="2026-03-13",
)
QUEUE_REQUESTS = Price(
    usd=0.40,
    per="million requests",
    source="aws.amazon.com/sqs/pricing, as quoted by cloudburn.io/blog/amazon-sqs-pricing",
    read_on="2026-03-14",
)
HOSTED_NAMES = Price(
    usd=0.10, per="resource and month", source="AWS price list, AWSCloudMap, Cloud-Map-Resources", read_on="2025-08-01"
)
DISCOVERIES = Price(
    usd=1.00,
    per="million discoveries",
    source="AWS price list, AWSCloudMap, Cloud-Map-DIR-API-Calls",
    read_on="2025-08-01",
)

PUSHES = Price(usd=1.00, per="million pushes: 0.50 to publish, 0.50 to deliver", source="aws.amazon.com/sns/pricing")

_S3_LIST = f"{_S3}; AWS price list, AmazonS3, us-east-1"
FILE_WRITES = Price(usd=5.00, per="million uploads", source=f"{_S3_LIST}, Requests-Tier1", read_on="2026-09-28")
FILE_READS = Price(usd=0.40, per="million downloads", source=f"{_S3_LIST}, Requests-Tier2", read_on="2026-09-28")
FILE_STORAGE = Price(usd=0.023, per="GB-month", source=f"{_S3_LIST}, TimedStorage-ByteHrs", read_on="2026-09-28")
