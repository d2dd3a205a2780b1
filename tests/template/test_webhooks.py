"""The networks that webhooks may be sent to: a parameter whose change reaches running functions."""

import re

import pytest

from consumers.webhooks.addresses import networks_of
from tests.template.templates import Templates

NAME = "WebhookTrustedNetworks"


def test_no_functions_environment_depends_on_a_parameter(templates: Templates) -> None:
    """A published version keeps its environment: a parameter that changes would not reach it."""
    names = {
        name for template in templates.stacks.values() for name in template.get("Parameters", {})
    }
    assert NAME in names
    told = [
        str(function.properties.get("Environment"))
        for function in templates.all("AWS::Lambda::Function")
    ]
    assert not any(f"{{'Ref': '{name}'}}" in environment for name in names for environment in told)


def test_the_trusted_networks_are_kept_where_functions_read_them(templates: Templates) -> None:
    """As they are given, also if none are; what is kept is never empty, which SSM refuses."""
    [kept] = templates.all("AWS::SSM::Parameter")
    assert kept.properties["Name"] == f"{templates.prefix}webhook-trusted-networks"
    separator, parts = kept.properties["Value"]["Fn::Join"]
    for given in ("", "10.20.0.0/16,fd00::/8"):
        value = separator.join(part if isinstance(part, str) else given for part in parts)
        assert value
        assert networks_of(value) == networks_of(given)


@pytest.mark.parametrize(
    ("text", "is_taken"),
    [
        ("", True),
        ("10.20.0.0/16", True),
        ("10.20.0.1/16", True),
        ("127.0.0.0/8, 10.0.0.0/8,fd00::/8", True),
        ("255.255.255.255/32,2001:db8:1:2:3:4:5:6/128,2001:DB8::/0", True),
        ("10.20.0.0", False),
        ("10.20.0/16", False),
        ("10.20.0.256/16", False),
        ("010.0.0.0/8", False),
        ("10.20.0.0/33", False),
        ("fd00::/129", False),
        ("fd00:/8", False),
        ("1:2:3:4:5:6:7:8:9/8", False),
        ("10.0.0.0/8;127.0.0.0/8", False),
        ("everywhere", False),
    ],
)
def test_what_a_deployment_takes_can_be_read(
    templates: Templates, text: str, is_taken: bool
) -> None:
    """The parameter's pattern refuses what the functions could not read."""
    pattern = templates.stacks["service"]["Parameters"][NAME]["AllowedPattern"]
    assert (re.fullmatch(pattern, text) is not None) == is_taken
    if is_taken:
        networks_of(text)
