"""What the functions of CloudFormation in a template stand for in the simulated world.

Of every resource only its names matter: they are made of those the template gives, in AWS's forms.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

Json = Any
"""A parsed JSON value: templates are as deep as their authors like."""

_SUBSTITUTED: Final = re.compile(r"\$\{([A-Za-z0-9:.]+)\}")


class UnknownValueError(ValueError):
    """A template says something that this world cannot resolve; the message says where."""


class Values:
    """Resolves the values of one template. `exported` answers what other stacks export."""

    def __init__(
        self,
        template: Mapping[str, Json],
        *,
        account: str,
        region: str,
        exported: Callable[[str], Json],
    ) -> None:
        self._resources: Mapping[str, Mapping[str, Json]] = template["Resources"]
        self._account = account
        self._region = region
        self._exported = exported
        self._parameters = {
            name: parameter.get("Default", "")
            for name, parameter in template.get("Parameters", {}).items()
        }
        self._pseudo = {
            "AWS::AccountId": account,
            "AWS::Region": region,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
        }

    def of(self, value: Json) -> Json:
        """A value of the template, all of its functions resolved."""
        if isinstance(value, list):
            return [self.of(one) for one in value]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            ((function, argument),) = value.items()
            if function == "Ref" or function.startswith("Fn::"):
                return self._called(function, argument)
        return {name: self.of(one) for name, one in value.items()}

    def _called(self, function: str, argument: Json) -> Json:
        match function, argument:
            case "Ref", str():
                return self._ref(argument)
            case "Fn::GetAtt", [str() as logical_id, str() as attribute]:
                return self._attribute(logical_id, attribute)
            case "Fn::ImportValue", _:
                return self._exported(self.of(argument))
            case "Fn::Join", [str() as separator, parts]:
                return separator.join(self.of(parts))
            case "Fn::Split", [str() as separator, text]:
                return self.of(text).split(separator)
            case "Fn::Select", [place, parts]:
                return self.of(parts)[int(place)]
            case "Fn::Sub", str():
                return _SUBSTITUTED.sub(lambda found: str(self._ref(found[1])), argument)
        raise UnknownValueError(f"{function} {argument}")

    def _ref(self, name: str) -> Json:
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self._parameters:
            return self._parameters[name]
        kind = self._resources[name]["Type"]
        match kind:
            case "AWS::SQS::Queue":
                queue = self.name(name)
                return f"https://sqs.{self._region}.amazonaws.com/{self._account}/{queue}"
            case "AWS::SNS::Topic":
                return self._attribute(name, "TopicArn")
            case "AWS::Lambda::Alias":
                alias = self._resources[name]["Properties"]
                return f"{self._function_arn(alias['FunctionName'])}:{alias['Name']}"
        return self.name(name)

    def name(self, logical_id: str) -> str:
        """The name of a resource: as the template gives it, else its logical id."""
        properties = self._resources[logical_id].get("Properties", {})
        kind = self._resources[logical_id]["Type"].split("::")[-1].removeprefix("Global")
        given = properties.get(f"{kind}Name", properties.get("Name", logical_id))
        return str(self.of(given))

    def _attribute(self, logical_id: str, attribute: str) -> str:
        kind = self._resources[logical_id]["Type"]
        name = self.name(logical_id)
        where = f"{self._region}:{self._account}"
        match kind, attribute:
            case "AWS::SQS::Queue", "Arn":
                return f"arn:aws:sqs:{where}:{name}"
            case "AWS::SQS::Queue", "QueueName":
                return name
            case "AWS::SNS::Topic", "TopicArn":
                return f"arn:aws:sns:{where}:{name}"
            case "AWS::DynamoDB::GlobalTable", "Arn":
                return f"arn:aws:dynamodb:{where}:table/{name}"
            case "AWS::DynamoDB::GlobalTable", "StreamArn":
                return f"arn:aws:dynamodb:{where}:table/{name}/stream/simulated"
            case "AWS::S3::Bucket", "Arn":
                return f"arn:aws:s3:::{name}"
            case "AWS::Lambda::Function", "Arn":
                return self._function_arn({"Ref": logical_id})
        # Keys, roles, logs: their ARNs are handed on, and nothing in this world looks into them.
        return f"arn:aws:{kind.split('::')[1].lower()}:{where}:{logical_id}"

    def _function_arn(self, function: Json) -> str:
        return f"arn:aws:lambda:{self._region}:{self._account}:function:{self.of(function)}"
