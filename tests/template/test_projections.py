"""The indexes by which analysts list what projections keep."""

import pytest

from tests.template.templates import Templates


@pytest.mark.parametrize(
    ("table", "index", "keys"),
    [
        ("balances", "by_path", ("root", "account")),
        ("payments", "by_status", ("listed", "created")),
    ],
)
def test_an_index_has_the_keys_of_what_it_lists_and_no_more(
    templates: Templates, table: str, index: str, keys: tuple[str, str]
) -> None:
    """What changes with every payment is not in it: a payment that changes no key costs no write to
    the index."""
    properties = templates.named("AWS::DynamoDB::GlobalTable")[table].properties
    [found] = properties["GlobalSecondaryIndexes"]
    assert found["IndexName"] == index
    assert [(key["AttributeName"], key["KeyType"]) for key in found["KeySchema"]] == [
        (keys[0], "HASH"),
        (keys[1], "RANGE"),
    ]
    assert found["Projection"] == {"ProjectionType": "KEYS_ONLY"}
