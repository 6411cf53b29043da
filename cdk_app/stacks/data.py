"""The stores that hold data: Aurora MySQL, the truth, and ElastiCache, which only makes it quick."""

from typing import Any

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from cdk_app.acknowledgements import acknowledge
from cdk_app.parts.backups import declare_backups
from cdk_app.parts.database_proxy import declare_proxy
from cdk_app.parts.function import declare_log_group
from cdk_app.parts.keeping import free_names_of_failed_creations, removal
from cdk_app.settings import Stage
from cdk_app.stacks.network import NetworkStack
from cdk_app.store_settings import AURORA_VERSION, Managed
from cdk_app.stores import APP_USER, DATABASE, MIGRATION_USER, MYSQL_PORT, CacheStore, DatabaseStore

ENGINE = rds.DatabaseClusterEngine.aurora_mysql(version=rds.AuroraMysqlEngineVersion.of(AURORA_VERSION, "8.0"))

EXPORTED_LOGS = ("error", "slowquery")
"""What the cluster writes to CloudWatch, to groups that bear its name (Aurora user guide, "Publishing Aurora MySQL logs
to Amazon CloudWatch Logs")."""

APP_ACCESS = "on ~* &* +@all -@admin -@dangerous"
"""The cache user's rights: every key and channel, but no command that could stop, flush or spy on the server."""


class DataStack(Stack):
    """The database and the cache."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        settings: Managed,
        network: NetworkStack,
        key: kms.IKey | None,
        **options: Any,
    ) -> None:
        super().__init__(scope, construct_id, **options)
        self._stage = stage
        self._settings = settings
        self._network = network
        self._key = key
        cluster = self._declare_database()
        assert cluster.secret is not None
        self.database_arn = cluster.cluster_arn
        self.master_secret_arn = cluster.secret.secret_arn
        self.database = self._store_of(cluster)
        if settings.database.vault_days:
            declare_backups(self, cluster.cluster_arn, days=settings.database.vault_days, key=key)
        self.cache = self._declare_cache()

    def _store_of(self, cluster: rds.DatabaseCluster) -> DatabaseStore:
        """Return the database as functions see it: through the proxy, or the cluster itself.

        Both of the cluster's own names are exported in any case: whoever leaves the proxy finds them there.
        """
        settings, network = self._settings.database, self._network
        for name in (cluster.cluster_endpoint.hostname, cluster.cluster_read_endpoint.hostname):
            self.export_value(name)
        if settings.proxy:
            assert network.groups.proxy is not None
            return declare_proxy(
                self,
                stage=self._stage,
                settings=settings,
                cluster=cluster,
                group=network.groups.proxy.security_group_id,
                subnets=[subnet.subnet_id for subnet in network.subnets],
            )
        return DatabaseStore(
            host=cluster.cluster_endpoint.hostname,
            # Without a reader this name leads to the writer.
            reader_host=cluster.cluster_read_endpoint.hostname,
            port=str(MYSQL_PORT),
            auth="iam",
            user=APP_USER,
            migration_user=MIGRATION_USER,
            resource_ids=(cluster.cluster_resource_identifier,),
        )

    def _declare_database(self) -> rds.DatabaseCluster:
        """Declare the Aurora cluster.

        Functions log in with IAM alone. The master user, whose password nobody sees, makes their users through the
        Data API (`cdk_app/custom_resources/migrate_database.py`).
        """
        settings = self._settings.database
        parameters = self._instance_parameters()
        cluster = rds.DatabaseCluster(
            self,
            "Database",
            cluster_identifier=self._stage.database_name,
            engine=ENGINE,
            default_database_name=DATABASE,
            credentials=rds.Credentials.from_generated_secret("gochat_master", encryption_key=self._key),
            iam_authentication=True,
            enable_data_api=True,
            writer=self._instance("Writer", parameters),
            readers=[self._instance(f"Reader{number + 1}", parameters) for number in range(settings.readers)],
            serverless_v2_min_capacity=settings.minimum_acu,
            serverless_v2_max_capacity=settings.maximum_acu,
            serverless_v2_auto_pause_duration=(
                Duration.seconds(settings.pause_after_s) if settings.pause_after_s else None
            ),
            parameter_group=self._cluster_parameters(),
            vpc=self._network.vpc,
            vpc_subnets=ec2.SubnetSelection(subnets=self._network.subnets),
            security_groups=[self._network.groups.database],
            storage_encrypted=True,
            storage_encryption_key=self._key,
            backup=rds.BackupProps(retention=Duration.days(settings.backup_days)),
            copy_tags_to_snapshot=True,
            deletion_protection=True,
            removal_policy=RemovalPolicy.RETAIN if self._settings.keep else RemovalPolicy.SNAPSHOT,
            cloudwatch_logs_exports=list(EXPORTED_LOGS),
        )
        if settings.restored_from:
            _make_from_copy(cluster, settings.restored_from)
        if self._settings.keep:
            self._keep(cluster)
        self._declare_logs(cluster)
        _acknowledge_cluster(cluster)
        return cluster

    def _keep(self, cluster: rds.DatabaseCluster) -> None:
        """Let the cluster outlive its stack, with its master's password and with its ways back to any second."""
        cfn = cluster.node.default_child
        assert isinstance(cfn, rds.CfnDBCluster)
        cfn.delete_automated_backups = False
        for construct in cluster.node.find_all():
            if isinstance(construct, secretsmanager.CfnSecret):
                construct.apply_removal_policy(removal(keep=True))
        free_names_of_failed_creations(cluster)

    def _declare_logs(self, cluster: rds.DatabaseCluster) -> None:
        """Declare the groups of the exported logs before RDS makes them itself, for ever, and delete them after it."""
        for kind in EXPORTED_LOGS:
            name = f"/aws/rds/cluster/{self._stage.database_name}/{kind}"
            group = declare_log_group(self, f"Database{kind.capitalize()}Logs", stage=self._stage, name=name)
            cluster.node.add_dependency(group)

    def _instance(self, name: str, parameters: rds.ParameterGroup) -> rds.IClusterInstance:
        return rds.ClusterInstance.serverless_v2(
            name,
            parameter_group=parameters,
            publicly_accessible=False,
            # A minor upgrade restarts the server whenever AWS finds the time; deployments choose theirs.
            auto_minor_version_upgrade=False,
            scale_with_writer=True if name != "Writer" else None,
        )

    def _cluster_parameters(self) -> rds.ParameterGroup:
        """Set what holds for the cluster as a whole (Aurora user guide, "Cluster-level parameters")."""
        return rds.ParameterGroup(
            self,
            "ClusterParameters",
            engine=ENGINE,
            description=f"GoChat {self._stage.name}: cluster",
            parameters={
                "require_secure_transport": "ON",
                "character_set_server": "utf8mb4",
                "collation_server": "utf8mb4_bin",
                "time_zone": "UTC",
            },
        )

    def _instance_parameters(self) -> rds.ParameterGroup:
        """Set what the SQL of the repo layer relies on, as the local MySQL sets it too."""
        return rds.ParameterGroup(
            self,
            "InstanceParameters",
            engine=ENGINE,
            description=f"GoChat {self._stage.name}: instances",
            parameters={
                "transaction_isolation": "READ-COMMITTED",
                "sql_mode": "STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO",
                "innodb_lock_wait_timeout": "5",
                "wait_timeout": str(self._settings.database.wait_timeout_s),
                "slow_query_log": "1",
                "long_query_time": "1",
            },
        )

    def _declare_cache(self) -> CacheStore:
        """Declare the serverless cache: always encrypted at rest and in transit, reached with IAM tokens."""
        settings = self._settings.cache
        name = self._stage.prefix
        user_id = f"{name}-app"
        group = self._declare_cache_users(user_id)
        cache = elasticache.CfnServerlessCache(
            self,
            "Cache",
            serverless_cache_name=name,
            engine=settings.engine,
            major_engine_version=settings.major_version,
            kms_key_id=self._key.key_arn if self._key else None,
            user_group_id=group.ref,
            security_group_ids=[self._network.groups.cache.security_group_id],
            subnet_ids=[subnet.subnet_id for subnet in self._network.subnets],
            cache_usage_limits=elasticache.CfnServerlessCache.CacheUsageLimitsProperty(
                data_storage=elasticache.CfnServerlessCache.DataStorageProperty(maximum=settings.maximum_gb, unit="GB"),
                ecpu_per_second=elasticache.CfnServerlessCache.ECPUPerSecondProperty(
                    maximum=settings.maximum_ecpu_per_second
                ),
            ),
        )
        return CacheStore(
            host=cache.attr_endpoint_address,
            port=cache.attr_endpoint_port,
            auth="iam",
            user=user_id,
            cache_name=name,
        )

    def _declare_cache_users(self, user_id: str) -> elasticache.CfnUserGroup:
        """Declare who may log in to the cache: the functions' user, by IAM, and nobody else."""
        engine = self._settings.cache.engine
        users = [
            elasticache.CfnUser(
                self,
                "CacheUser",
                engine=engine,
                # For IAM id and name must be the same (ElastiCache user guide, "Authenticating with IAM").
                user_id=user_id,
                user_name=user_id,
                access_string=APP_ACCESS,
                authentication_mode={"Type": "iam"},
            )
        ]
        if engine == "redis":
            users.append(self._disabled_default_user())
        group = elasticache.CfnUserGroup(
            self,
            "CacheUsers",
            engine=engine,
            user_group_id=self._stage.prefix,
            user_ids=[user.user_id for user in users],
        )
        for user in users:
            group.add_resource_dependency(user)
        return group

    def _disabled_default_user(self) -> elasticache.CfnUser:
        """Declare the user `default` that Redis groups must have, unable to do anything."""
        return elasticache.CfnUser(
            self,
            "CacheDefaultUser",
            engine="redis",
            user_id=f"{self._stage.prefix}-default",
            user_name="default",
            access_string="off ~* -@all",
            authentication_mode={"Type": "no-password-required"},
        )


def _make_from_copy(cluster: rds.DatabaseCluster, snapshot_arn: str) -> None:
    """Let the cluster begin with a snapshot's data, users and password, which is the secret's unless it was rotated."""
    cfn = cluster.node.default_child
    assert isinstance(cfn, rds.CfnDBCluster)
    cfn.snapshot_identifier = snapshot_arn
    # These come with the snapshot and may not be said again (CloudFormation, "AWS::RDS::DBCluster").
    cfn.master_username = cfn.master_user_password = cfn.database_name = None


def _acknowledge_cluster(cluster: rds.DatabaseCluster) -> None:
    acknowledge(
        cluster,
        "AwsSolutions-RDS11",
        "The port is no secret and no defence: only the functions' security group reaches it.",
    )
    acknowledge(
        cluster,
        "AwsSolutions-RDS14",
        "Rewinding the cluster in place would rewind every conversation; point-in-time recovery makes a new one.",
    )
    acknowledge(
        cluster,
        "AwsSolutions-SMG4",
        "The master password is seen by the Data API alone, when users are made; functions log in with IAM.",
    )
