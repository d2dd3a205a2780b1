"""What differs between stages, and that a stage's settings are checked before anything is made."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from cdk.config import InvalidConfigError, StageConfig, stage_config
from tests.template.templates import Templates

ROOT = Path(__file__).resolve().parents[2]
# What holds data or proof, and the key to it: all that a stage may want to keep.
KEPT = (
    "AWS::DynamoDB::GlobalTable",
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
)


@pytest.mark.parametrize("type", KEPT)
def test_prod_keeps_what_dev_deletes(both: dict[str, Templates], type: str) -> None:
    """Data, logs and keys survive a deleted stack or a replaced resource in prod, not in dev."""
    for stage, policy in (("dev", "Delete"), ("prod", "Retain")):
        for resource in both[stage].all(type):
            assert resource.body["DeletionPolicy"] == policy, resource.logical_id
            assert resource.body["UpdateReplacePolicy"] == policy, resource.logical_id


def test_prod_tables_cannot_be_deleted_and_can_be_restored(both: dict[str, Templates]) -> None:
    """Deletion protection and 35 days of point-in-time recovery in prod; neither in dev."""
    recovery = {
        "dev": {"PointInTimeRecoveryEnabled": False},
        "prod": {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 35},
    }
    for stage, templates in both.items():
        for table in templates.all("AWS::DynamoDB::GlobalTable"):
            [replica] = table.properties["Replicas"]
            assert replica["DeletionProtectionEnabled"] is (stage == "prod")
            assert replica["PointInTimeRecoverySpecification"] == recovery[stage]


def test_prod_data_stack_cannot_be_destroyed(both: dict[str, Templates]) -> None:
    """CloudFormation refuses to delete the stack with the tables in prod."""
    for stage, templates in both.items():
        manifest = json.loads((templates.assembly / "manifest.json").read_text())
        stack = manifest["artifacts"][f"ledger-{stage}-data"]
        assert stack["properties"].get("terminationProtection", False) is (stage == "prod")


def test_logs_and_archive_are_kept_for_a_stated_time(both: dict[str, Templates]) -> None:
    """Seven days in dev, a year in prod, for ever nowhere."""
    for stage, days in (("dev", 7), ("prod", 365)):
        for group in both[stage].all("AWS::Logs::LogGroup"):
            assert group.properties["RetentionInDays"] == days
        [archive] = both[stage].all("AWS::Events::Archive")
        assert archive.properties["RetentionDays"] == days
        assert both[stage].text(archive.stack, archive.properties["SourceArn"]) == "bus.Arn"
        assert archive.properties["EventPattern"] == {"source": ["ledger"]}


def test_unpublished_payloads_expire(both: dict[str, Templates]) -> None:
    """What the relay gave up is kept for as long as the stage says, old versions a week more."""
    for stage, days in (("dev", 14), ("prod", 365)):
        [bucket] = both[stage].all("AWS::S3::Bucket")
        [rule] = bucket.properties["LifecycleConfiguration"]["Rules"]
        assert rule["Status"] == "Enabled"
        assert rule["ExpirationInDays"] == days
        assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 7}


def test_only_prod_sets_workers_aside(both: dict[str, Templates]) -> None:
    """Reserved concurrency protects prod from its neighbours; dev shares the account's."""
    reserved = {
        stage: {
            name: function.properties["ReservedConcurrentExecutions"]
            for name, function in templates.named("AWS::Lambda::Function").items()
            if "ReservedConcurrentExecutions" in function.properties
        }
        for stage, templates in both.items()
    }
    assert reserved == {"dev": {}, "prod": {"api": 200, "commands": 170, "query": 100}}


def test_clients_of_prod_wait_for_no_cold_start(both: dict[str, Templates]) -> None:
    """There the functions that a client waits for begin from a snapshot; nobody pays for one of
    any other, nor in dev."""
    snapped = {
        stage: {
            name: function.properties["SnapStart"]
            for name, function in templates.named("AWS::Lambda::Function").items()
            if "SnapStart" in function.properties
        }
        for stage, templates in both.items()
    }
    waited_for = ("api", "query", "reviews", "webhookmanager")
    assert snapped == {
        "dev": {},
        "prod": {name: {"ApplyOn": "PublishedVersions"} for name in waited_for},
    }


def test_functions_that_begin_from_a_snapshot_are_those_behind_the_api(
    both: dict[str, Templates],
) -> None:
    """A function is waited for exactly if API Gateway calls it."""
    templates = both["prod"]
    aliases = {
        alias.logical_id: templates.text(alias.stack, alias.properties["FunctionName"])
        for alias in templates.all("AWS::Lambda::Alias")
    }
    called = {
        aliases[templates.text(one.stack, one.properties["FunctionName"])]
        for one in templates.all("AWS::Lambda::Permission")
        if one.properties["Principal"] == "apigateway.amazonaws.com"
    }
    assert called == {
        name
        for name, function in templates.named("AWS::Lambda::Function").items()
        if "SnapStart" in function.properties
    }


def test_nothing_but_names_and_settings_differs(both: dict[str, Templates]) -> None:
    """Both stages have the same resources of the same types: what is tried in dev runs in prod."""
    kinds = [
        sorted((resource.stack, resource.type) for resource in templates.resources())
        for templates in both.values()
    ]
    assert kinds[0] == kinds[1]


def test_settings_of_every_stage_are_valid() -> None:
    """cdk.json's stages pass the checks that synthesis makes."""
    for stage in _stages():
        assert stage_config(stage, _stages()).stage == stage


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"log_retention_days": 8}, r"stages\.dev: Invalid enum value 8 - at `\$\.log_retention"),
        ({"point_in_time_recovery_days": 36}, r"`int` <= 35 - at `\$\.point_in_time_recovery"),
        ({"removal": "keep"}, r"Invalid enum value 'keep' - at `\$\.removal`"),
        ({"colour": "red"}, r"unknown field `colour`"),
        ({"log_level": None}, r"Expected `str`, got `null` - at `\$\.log_level`"),
        ({"alarm_email": "nobody"}, r"at `\$\.alarm_email`"),
        (
            {"queue_batching": {"commands": {"size": 11, "window_s": 0}}},
            r"more than 10 needs a window of a second - at `\$\.queue_batching\.commands`",
        ),
        (
            {"queue_concurrency": {"commands": 1, "commands_fifo": 2, "balances": 2, "history": 2}},
            r"`int` >= 2 - at `\$\.queue_concurrency\.commands`",
        ),
        (
            {"reserved_concurrency": {"Commands": 3}},
            r"reserved_concurrency\.Commands is 3, but its queues may start 6 workers at once",
        ),
        ({"reserved_concurrency": {"Comands": 3}}, r"unknown field `Comands`"),
    ],
)
def test_a_wrong_setting_is_refused_by_its_place(change: dict[str, Any], message: str) -> None:
    """Synthesis stops with the stage, the setting and what is wrong with it."""
    stages = copy.deepcopy(_stages())
    stages["dev"].update(change)
    with pytest.raises(InvalidConfigError, match=message):
        stage_config("dev", stages)


def test_a_missing_setting_is_refused_by_name() -> None:
    """There are no hidden defaults for what a stage must decide."""
    stages = copy.deepcopy(_stages())
    del stages["dev"]["removal"]
    with pytest.raises(InvalidConfigError, match="missing required field `removal`"):
        stage_config("dev", stages)


@pytest.mark.parametrize("stage", ["production", "", None, 1])
def test_an_unknown_stage_is_refused_with_the_known_ones(stage: object) -> None:
    """A typo in `-c stage=` names what would have been right."""
    with pytest.raises(InvalidConfigError, match="known stages: dev, prod"):
        stage_config(stage, _stages())


@pytest.mark.parametrize("stages", [None, {}, "dev", {"dev": "prod"}])
def test_a_context_without_settings_is_refused(stages: object) -> None:
    """So is a cdk.json that does not describe stages at all."""
    with pytest.raises(InvalidConfigError, match="must be an object"):
        stage_config("dev", stages)


def test_a_stage_name_that_cannot_be_part_of_names_is_refused() -> None:
    """The name becomes part of every physical name: lower case, short, no punctuation."""
    with pytest.raises(InvalidConfigError, match=r"at `\$\.stage`"):
        stage_config("Dev_1", {"Dev_1": _stages()["dev"]})


def _stages() -> dict[str, dict[str, Any]]:
    stages: dict[str, dict[str, Any]] = json.loads((ROOT / "cdk.json").read_text())["context"][
        "stages"
    ]
    return stages


def test_every_setting_is_explained() -> None:
    """docs/deploy.md has each setting of a stage in its table, and no other."""
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    table = page.partition("| setting |")[2].partition("\n\n")[0]
    first_cells = [line.split("|")[1] for line in table.splitlines()[2:]]
    explained = {name for cell in first_cells for name in re.findall("`(\\w+)`", cell)}
    assert explained == set(StageConfig.__struct_fields__) - {"stage"}
