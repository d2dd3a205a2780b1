"""THE list of resource types that are not deployed to the emulator (ministack 1.5.33).

Everything else of the synthesised template is deployed as it is. Only leaves may stand here,
resources that nothing refers to: `sandbox.template` refuses to remove anything else. The list is
printed at every start and held by a test.
"""

from collections.abc import Mapping
from types import MappingProxyType

UNSUPPORTED: Mapping[str, str] = MappingProxyType(
    {
        "AWS::Events::Archive": (
            "the emulator's CloudFormation refuses it: published events are not archived here, "
            "and cannot be replayed from an archive"
        ),
    }
)
"""Resource type -> why it is left out, and what is missing for it."""
