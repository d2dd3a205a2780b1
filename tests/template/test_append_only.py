"""Nobody may change or remove an event."""

from tests.template.templates import Json, Templates, statements


def test_table_policy_denies_everyone_to_change_the_past(templates: Templates) -> None:
    """Updates, deletions, batches and PartiQL writes of `events` are denied to every principal."""
    [change, _] = _events_policy(templates)
    assert change["Effect"] == "Deny"
    assert change["Principal"] == {"AWS": "*"}
    assert "Condition" not in change
    assert set(change["Action"]) == {
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
        "dynamodb:BatchWriteItem",
        "dynamodb:PartiQLInsert",
        "dynamodb:PartiQLUpdate",
        "dynamodb:PartiQLDelete",
    }


def test_table_policy_admits_writes_only_inside_transactions(templates: Templates) -> None:
    """PutItem is denied to every principal unless a TransactWriteItems encloses it.

    The operator must hold when the key is absent, as in a bare PutItem: `ForAllValues` over no
    value does; `ForAnyValue` would let that pass.
    """
    [_, append] = _events_policy(templates)
    assert append["Effect"] == "Deny"
    assert append["Principal"] == {"AWS": "*"}
    assert append["Action"] == ["dynamodb:PutItem"]
    assert append["Condition"] == {
        "ForAllValues:StringNotEquals": {"dynamodb:EnclosingOperation": "TransactWriteItems"}
    }


def test_table_policy_is_about_its_own_table(templates: Templates) -> None:
    """Both statements name the events table itself, by a name that makes no circle."""
    for statement in _events_policy(templates):
        [resource] = statement["Resource"]
        assert templates.text("data", resource) == (
            f"arn:<Partition>:dynamodb:<Region>:<AccountId>:table/{templates.prefix}events"
        )


def test_only_events_are_streamed_with_what_they_replace(templates: Templates) -> None:
    """The relay sees new and old images of `events`; no other table pays for a stream."""
    streams = {
        name: table.properties.get("StreamSpecification", {}).get("StreamViewType")
        for name, table in templates.named("AWS::DynamoDB::GlobalTable").items()
    }
    assert streams == {
        "events": "NEW_AND_OLD_IMAGES",
        "states": None,
        "balances": None,
        "history": None,
        "payments": None,
        "fraud": None,
        "webhooks": None,
        "webhook-deliveries": None,
    }


def _events_policy(templates: Templates) -> list[Json]:
    [replica] = templates.named("AWS::DynamoDB::GlobalTable")["events"].properties["Replicas"]
    return statements(replica["ResourcePolicy"]["PolicyDocument"])
