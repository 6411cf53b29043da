"""RDS Proxy in front of Aurora: hundreds of containers share the few connections that a database bears."""

from aws_cdk import Fn, Stack, Tags
from aws_cdk import aws_iam as iam
from aws_cdk import aws_rds as rds

from cdk_app.parts.function import declare_log_group
from cdk_app.settings import STAGE_TAG, Stage
from cdk_app.store_settings import Database
from cdk_app.stores import APP_USER, MIGRATION_USER, MYSQL_PORT, DatabaseStore, may_log_in

SESSION = (
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; "
    "SET time_zone = '+00:00', innodb_lock_wait_timeout = 5, sql_mode ="
    " 'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
    "NO_ENGINE_SUBSTITUTION'"
)
"""What every session of gochat_repo sets too. Since all set the same, the proxy may share connections between sessions
although they did: without the filter below each SET would pin its session to one connection (Aurora user guide,
"Avoiding pinning an RDS Proxy")."""

BORROW_TIMEOUT_S = 5
"""How long a statement waits for a connection: less than a function's own patience."""

_ABOVE_ALL = 1_000


def declare_proxy(
    stack: Stack, *, stage: Stage, settings: Database, cluster: rds.DatabaseCluster, group: str, subnets: list[str]
) -> DatabaseStore:
    """Declare the proxy, in this security group and these subnets, and return the database as seen through it.

    IAM from end to end (Aurora user guide, "End-to-end IAM authentication"): no secret holds a password. Migrations go
    to the cluster itself, because their lock would pin a session of the proxy.
    """
    # RDS would make the group itself, for ever.
    declare_log_group(stack, "ProxyLogs", stage=stage, name=f"/aws/rds/proxy/{stage.prefix}")
    proxy = rds.CfnDBProxy(
        stack,
        "Proxy",
        db_proxy_name=stage.prefix,
        engine_family="MYSQL",
        role_arn=_role(stack, cluster).role_arn,
        default_auth_scheme="IAM_AUTH",
        require_tls=True,
        # Longer than containers keep an idle connection.
        idle_client_timeout=settings.wait_timeout_s,
        vpc_subnet_ids=subnets,
        vpc_security_group_ids=[group],
    )
    target = _target(stack, proxy, cluster)
    return DatabaseStore(
        host=proxy.attr_endpoint,
        reader_host=_reader(stack, stage, proxy, target, group, subnets) if settings.readers else proxy.attr_endpoint,
        port=str(MYSQL_PORT),
        auth="iam",
        user=APP_USER,
        migration_user=MIGRATION_USER,
        migration_host=cluster.cluster_endpoint.hostname,
        # `arn:…:db-proxy:prx-0123…`: its last word is what rds-db names it by.
        resource_ids=(Fn.select(6, Fn.split(":", proxy.attr_db_proxy_arn)), cluster.cluster_resource_identifier),
    )


def _target(stack: Stack, proxy: rds.CfnDBProxy, cluster: rds.DatabaseCluster) -> rds.CfnDBProxyTargetGroup:
    target = rds.CfnDBProxyTargetGroup(
        stack,
        "ProxyTarget",
        db_proxy_name=proxy.ref,
        target_group_name="default",
        db_cluster_identifiers=[cluster.cluster_identifier],
        connection_pool_configuration_info=rds.CfnDBProxyTargetGroup.ConnectionPoolConfigurationInfoFormatProperty(
            # The rest is left to migrations and to whoever must look into the database.
            max_connections_percent=90,
            connection_borrow_timeout=BORROW_TIMEOUT_S,
            init_query=SESSION,
            session_pinning_filters=["EXCLUDE_VARIABLE_SETS"],
        ),
    )
    # A target group takes no tags, which CDK does not know (CloudFormation schema of AWS::RDS::DBProxyTargetGroup).
    Tags.of(target).remove(STAGE_TAG, priority=_ABOVE_ALL)
    # A cluster without instances is no target yet.
    target.node.add_dependency(cluster)
    return target


def _reader(
    stack: Stack,
    stage: Stage,
    proxy: rds.CfnDBProxy,
    target: rds.CfnDBProxyTargetGroup,
    group: str,
    subnets: list[str],
) -> str:
    endpoint = rds.CfnDBProxyEndpoint(
        stack,
        "ProxyReader",
        db_proxy_name=proxy.ref,
        db_proxy_endpoint_name=f"{stage.prefix}-reader",
        target_role="READ_ONLY",
        vpc_subnet_ids=subnets,
        vpc_security_group_ids=[group],
    )
    # One change of a proxy at a time.
    endpoint.node.add_dependency(target)
    return endpoint.attr_endpoint


def _role(stack: Stack, cluster: rds.DatabaseCluster) -> iam.Role:
    """Declare the role by which the proxy logs in to the cluster as the functions' user."""
    return iam.Role(
        stack,
        "ProxyRole",
        assumed_by=iam.ServicePrincipal("rds.amazonaws.com"),
        inline_policies={
            "rights": iam.PolicyDocument(statements=[may_log_in(cluster.cluster_resource_identifier, APP_USER)])
        },
    )
