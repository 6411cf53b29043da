"""Whoever deploys the stage of existing stores without having named them is told so before anything else."""

from dataclasses import replace

import pytest

from cdk_app.settings import Stage
from cdk_app.stages import DEV, EXTERNAL, LOCAL, PROD
from cdk_app.store_settings import External, ExternalDatabase
from dev_cli.deployment.examples import examples_in, look_at_examples


def test_each_example_of_the_external_stage_is_a_fault_and_is_named() -> None:
    (finding,) = look_at_examples(EXTERNAL)
    assert finding.verdict == "fault"
    for named in (
        "stores.kafka.bootstrap = b-1.kafka.example.org:9096",
        "stores.kafka.secret_arn = arn:aws:secretsmanager:us-east-1:111122223333:secret:AmazonMSK_gochat-AbCdEf",
        "stores.database.host = mysql.example.org",
        "stores.database.reader_host",
        "stores.database.migration_secret_arn",
        "stores.cache.host",
        "stores.network.vpc_id = vpc-0123456789abcdef0",
        "stores.network.subnet_ids[1] = subnet-0123456789abcdef1",
        "stores.network.security_group_id",
        "stores.key_arn",
    ):
        assert named in finding.render()


@pytest.mark.parametrize("stage", [LOCAL, DEV, PROD], ids=lambda stage: stage.name)
def test_the_other_stages_hold_no_examples(stage: Stage) -> None:
    assert list(look_at_examples(stage)) == []


def test_what_was_replaced_is_named_no_more() -> None:
    assert isinstance(EXTERNAL.stores, External)
    database = ExternalDatabase(host="chat.cluster-c1.eu-west-1.rds.amazonaws.com")
    mended = replace(EXTERNAL, stores=replace(EXTERNAL.stores, database=database))
    assert not [path for path, _ in examples_in(mended) if path.startswith("stores.database")]
    (finding,) = look_at_examples(replace(EXTERNAL, stores=External(database=database)))
    assert finding.verdict == "ok"
