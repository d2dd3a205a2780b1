"""The topic of notifications: who may speak on it, and that what it says can arrive."""

from tests.template.templates import Json, Templates, statements


def test_only_its_function_speaks_on_the_topic(templates: Templates) -> None:
    """Publishing is denied to every principal but the function's role, whatever else it may do."""
    [denial] = [
        statement
        for statement in _topic_policy(templates)
        if "aws:PrincipalArn" in str(statement["Condition"])
    ]
    assert denial["Effect"] == "Deny"
    assert denial["Principal"] == {"AWS": "*"}
    assert denial["Action"] == ["sns:Publish"]
    function = templates.named("AWS::Lambda::Function")["notifications"]
    assert denial["Condition"] == {
        "ArnNotEquals": {"aws:PrincipalArn": function.properties["Role"]}
    }


def test_nobody_is_let_in_by_the_topic_itself(templates: Templates) -> None:
    """Its policy only denies: who may subscribe is granted by the account's own policies."""
    assert {statement["Effect"] for statement in _topic_policy(templates)} == {"Deny"}


def test_sns_may_use_no_key_of_the_service(templates: Templates) -> None:
    """No queue of the ledger is subscribed to a topic of its own: what goes to webhooks comes from
    the bus."""
    for key in templates.all("AWS::KMS::Key"):
        for statement in statements(key.properties["KeyPolicy"]):
            assert statement["Principal"].get("Service") != "sns.amazonaws.com"


def _topic_policy(templates: Templates) -> list[Json]:
    topic = templates.named("AWS::SNS::Topic")["notifications"]
    [policy] = [
        policy
        for policy in templates.all("AWS::SNS::TopicPolicy")
        if policy.properties["Topics"] == [{"Ref": topic.logical_id}]
    ]
    return statements(policy.properties["PolicyDocument"])
