"""Says of every type of resource in the templates how it is billed: a reviewer's list, held complete by a test."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Billing:
    """How a type of resource is billed; `lines` are keys of the estimate's lines, none where it is free."""

    lines: tuple[str, ...] = ()
    why: str = ""


def _free(why: str) -> Billing:
    return Billing(why=why)


def _billed(*lines: str, why: str = "") -> Billing:
    return Billing(lines=lines, why=why)


_SETTINGS = _free("a setting of another resource")
_RIGHTS = _free("rights cost nothing")
_ROUTES = _free("part of an API, which is billed by its requests")
_NETWORK = _free("networks are free, what passes them may not be")
_CUSTOM = _free("a few invocations of its function at a deployment")

RESOURCES: dict[str, Billing] = {
    "AWS::ApiGateway::Account": _SETTINGS,
    "AWS::ApiGatewayV2::Api": _billed("websocket-messages", "connection-minutes", "http-requests", "data-out"),
    "AWS::ApiGatewayV2::ApiMapping": _ROUTES,
    "AWS::ApiGatewayV2::Authorizer": _ROUTES,
    "AWS::ApiGatewayV2::Deployment": _ROUTES,
    "AWS::ApiGatewayV2::DomainName": _free("custom domain names cost nothing"),
    "AWS::ApiGatewayV2::Integration": _ROUTES,
    "AWS::ApiGatewayV2::IntegrationResponse": _ROUTES,
    "AWS::ApiGatewayV2::Route": _ROUTES,
    "AWS::ApiGatewayV2::RouteResponse": _ROUTES,
    "AWS::ApiGatewayV2::Stage": _billed("metrics", why="detailed metrics"),
    "AWS::Backup::BackupPlan": _SETTINGS,
    "AWS::Backup::BackupSelection": _SETTINGS,
    "AWS::Backup::BackupVault": _billed("backup-storage"),
    "AWS::CertificateManager::Certificate": _free("public certificates cost nothing"),
    "AWS::CloudFront::Distribution": _billed("data-out", why="browsers load the 150 KB of the page once a release"),
    "AWS::CloudFront::OriginAccessControl": _RIGHTS,
    "AWS::CloudFront::ResponseHeadersPolicy": _SETTINGS,
    "AWS::CloudWatch::Alarm": _billed("alarms"),
    "AWS::CloudWatch::CompositeAlarm": _billed("alarms"),
    "AWS::CloudWatch::Dashboard": _billed("dashboards"),
    "AWS::CodeDeploy::Application": _free("deployments to Lambda cost nothing"),
    "AWS::CodeDeploy::DeploymentConfig": _SETTINGS,
    "AWS::CodeDeploy::DeploymentGroup": _SETTINGS,
    "AWS::EC2::EIP": _billed("nat-addresses"),
    "AWS::EC2::EgressOnlyInternetGateway": _NETWORK,
    "AWS::EC2::InternetGateway": _NETWORK,
    "AWS::EC2::NatGateway": _billed("nat"),
    "AWS::EC2::Route": _NETWORK,
    "AWS::EC2::RouteTable": _NETWORK,
    "AWS::EC2::SecurityGroup": _NETWORK,
    "AWS::EC2::SecurityGroupEgress": _NETWORK,
    "AWS::EC2::SecurityGroupIngress": _NETWORK,
    "AWS::EC2::Subnet": _NETWORK,
    "AWS::EC2::SubnetRouteTableAssociation": _NETWORK,
    "AWS::EC2::VPC": _NETWORK,
    "AWS::EC2::VPCCidrBlock": _NETWORK,
    "AWS::EC2::VPCEndpoint": _billed("endpoints"),
    "AWS::EC2::VPCGatewayAttachment": _NETWORK,
    "AWS::ElastiCache::ServerlessCache": _billed("cache-storage", "cache-units"),
    "AWS::ElastiCache::User": _RIGHTS,
    "AWS::ElastiCache::UserGroup": _RIGHTS,
    "AWS::Events::EventBus": _free("it carries a notice when a gateway comes or goes"),
    "AWS::IAM::ManagedPolicy": _RIGHTS,
    "AWS::IAM::Policy": _RIGHTS,
    "AWS::IAM::Role": _RIGHTS,
    "AWS::KMS::Alias": _SETTINGS,
    "AWS::KMS::Key": _billed("keys"),
    "AWS::Lambda::Alias": _SETTINGS,
    "AWS::Lambda::EventInvokeConfig": _SETTINGS,
    "AWS::Lambda::EventSourceMapping": _billed("pollers", why="only with provisioned pollers"),
    "AWS::Lambda::Function": _billed("invocations", "lambda-time", "traces", "sweeps", "canary"),
    "AWS::Lambda::LayerVersion": _free("its storage counts against a quota, not on the bill"),
    "AWS::Lambda::Permission": _RIGHTS,
    "AWS::Lambda::Version": _SETTINGS,
    "AWS::Logs::LogGroup": _billed("logs", "logs-kept"),
    "AWS::Logs::MetricFilter": _billed("metrics"),
    "AWS::Logs::QueryDefinition": _free("a saved text; whoever runs it pays for what it scans"),
    "AWS::MSK::Cluster": _billed("msk-brokers", "msk-storage", "msk-data", "metrics"),
    "AWS::MSK::ClusterPolicy": _RIGHTS,
    "AWS::MSK::Configuration": _SETTINGS,
    "AWS::MSK::ServerlessCluster": _billed("msk-brokers", "msk-data", "msk-storage"),
    "AWS::MSK::Topic": _free("part of the cluster, whose brokers are billed"),
    "AWS::RDS::DBCluster": _billed("aurora-storage", "aurora-io", "aurora-capacity"),
    "AWS::RDS::DBClusterParameterGroup": _SETTINGS,
    "AWS::RDS::DBInstance": _billed("aurora-capacity"),
    "AWS::RDS::DBParameterGroup": _SETTINGS,
    "AWS::RDS::DBProxy": _billed("rds-proxy"),
    "AWS::RDS::DBProxyEndpoint": _billed("proxy-endpoint", why="an interface endpoint of its own"),
    "AWS::RDS::DBProxyTargetGroup": _SETTINGS,
    "AWS::RDS::DBSubnetGroup": _SETTINGS,
    "AWS::Route53::RecordSet": _free("aliases to AWS are answered for nothing; the zone is yours already"),
    "AWS::S3::Bucket": _billed("file-storage", "file-writes", "file-reads", "data-out"),
    "AWS::S3::BucketPolicy": _RIGHTS,
    "AWS::SNS::Subscription": _SETTINGS,
    "AWS::SNS::Topic": _free("of alarms: a handful of mails a month"),
    "AWS::SNS::TopicPolicy": _RIGHTS,
    "AWS::SQS::Queue": _billed("queue-polls", why="only where Lambda polls it"),
    "AWS::SQS::QueuePolicy": _RIGHTS,
    "AWS::Scheduler::Schedule": _billed("schedules", "sweeps"),
    "AWS::Scheduler::ScheduleGroup": _SETTINGS,
    "AWS::SecretsManager::ResourcePolicy": _RIGHTS,
    "AWS::SecretsManager::Secret": _billed("secrets"),
    "AWS::SecretsManager::SecretTargetAttachment": _SETTINGS,
    "AWS::ServiceDiscovery::HttpNamespace": _free("a name; what is registered in it is billed"),
    "AWS::ServiceDiscovery::Instance": _billed("discovery"),
    "AWS::ServiceDiscovery::Service": _free("a name; what is registered in it is billed"),
    "Custom::BootstrapBrokers": _CUSTOM,
    "Custom::KafkaTopics": _CUSTOM,
    "Custom::Migration": _CUSTOM,
    "Custom::SigningKey": _CUSTOM,
    "Custom::VapidKey": _CUSTOM,
    "Custom::WebFiles": _CUSTOM,
}
