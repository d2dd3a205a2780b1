"""The fraud scorer's word: who may give verdicts, and who may speak on the topic of alerts."""

from tests.template.templates import Json, Templates, listed, statements


def test_only_the_scorer_may_issue_system_commands(templates: Templates) -> None:
    """No other role may send to the queue whose messages the ledger takes for its own."""
    functions = templates.named("AWS::Lambda::Function")
    roles = {
        name: function.properties["Role"]["Fn::GetAtt"][0] for name, function in functions.items()
    }
    senders = {
        role["Ref"]
        for policy in templates.all("AWS::IAM::Policy")
        for statement in statements(policy.properties["PolicyDocument"])
        if "sqs:SendMessage" in statement["Action"]
        for resource in statement["Resource"]
        if templates.text(policy.stack, resource) == "system-commands.Arn"
        for role in policy.properties["Roles"]
    }
    assert senders == {roles["fraud"]}


def test_only_the_scorer_speaks_on_the_topic_of_alerts(templates: Templates) -> None:
    """Publishing is denied to every other principal, and the policy lets nobody in by itself."""
    topic = templates.named("AWS::SNS::Topic")["fraud-alerts"]
    assert "KmsMasterKeyId" in topic.properties
    policy: list[Json] = [
        statement
        for each in templates.all("AWS::SNS::TopicPolicy")
        if each.properties["Topics"] == [{"Ref": topic.logical_id}]
        for statement in statements(each.properties["PolicyDocument"])
    ]
    assert {statement["Effect"] for statement in policy} == {"Deny"}
    role = templates.named("AWS::Lambda::Function")["fraud"].properties["Role"]
    [alone] = [each for each in policy if "ArnNotEquals" in each["Condition"]]
    assert alone["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": role}}
    [over_tls] = [each for each in policy if each is not alone]
    assert over_tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert "sns:Publish" in listed(over_tls["Action"])


def test_only_recorded_verdicts_are_in_the_index_of_reviews(templates: Templates) -> None:
    """The index is sparse: its keys are attributes that accounts and verdicts do not have."""
    table = templates.named("AWS::DynamoDB::GlobalTable")["fraud"]
    [index] = table.properties["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "reviews"
    assert [(key["AttributeName"], key["KeyType"]) for key in index["KeySchema"]] == [
        ("listed", "HASH"),
        ("recorded_at", "RANGE"),
    ]
