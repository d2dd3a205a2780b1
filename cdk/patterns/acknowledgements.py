"""The one way to accept a finding of cdk-nag: by its full id, where it arises, with the reason."""

from aws_cdk import Acknowledgment, Aws, Validations
from constructs import IConstruct

_PSEUDO_PARAMETERS = {
    Aws.ACCOUNT_ID: "<AWS::AccountId>",
    Aws.PARTITION: "<AWS::Partition>",
    Aws.REGION: "<AWS::Region>",
}


def acknowledge(scope: IConstruct, rule: str, reason: str, *, finding: str | None = None) -> None:
    """Accept `rule` (`APIG3`) of the AWS Solutions pack on `scope` and below.

    `finding` narrows a rule with many findings to one of them, in cdk-nag's notation
    (`Resource::arn:aws:s3:::bucket/*`); such rules cannot be accepted as a whole.
    """
    id = f"AwsSolutions::AwsSolutions-{rule}"
    if finding is not None:
        for token, notation in _PSEUDO_PARAMETERS.items():
            finding = finding.replace(token, notation)
        id = f"{id}[{finding}]"
    Validations.of(scope).acknowledge(Acknowledgment(id=id, reason=reason))
