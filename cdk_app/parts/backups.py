"""Daily copies of the database in a vault: they outlive the cluster, whoever deletes it."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_backup as backup
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from cdk_app.acknowledgements import acknowledge
from cdk_app.parts.keeping import removal


def declare_backups(stack: Stack, database_arn: str, *, days: int, key: kms.IKey | None) -> None:
    """Declare the vault and the plan; copies are kept for `days`, and the vault for ever."""
    vault = backup.BackupVault(stack, "Vault", encryption_key=key, removal_policy=removal(keep=True))
    plan = backup.BackupPlan(stack, "Backups", backup_vault=vault)
    plan.add_rule(
        backup.BackupPlanRule(
            rule_name="daily",
            schedule_expression=events.Schedule.cron(hour="3", minute="30"),
            start_window=Duration.hours(1),
            completion_window=Duration.hours(8),
            delete_after=Duration.days(days),
        )
    )
    role = iam.Role(
        stack,
        "BackupRole",
        assumed_by=iam.ServicePrincipal("backup.amazonaws.com"),
        managed_policies=[
            iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AWSBackupServiceRolePolicyForBackup")
        ],
    )
    acknowledge(
        role,
        "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup]",
        "What a backup of Aurora calls is AWS Backup's to know; AWS documents this very policy for it.",
    )
    backup.BackupSelection(
        stack,
        "Backed",
        backup_plan=plan,
        resources=[backup.BackupResource.from_arn(database_arn)],
        role=role,
        disable_default_backup_policy=True,
    )
