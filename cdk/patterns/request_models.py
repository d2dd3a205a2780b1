"""API Gateway's models of commands: what is no command at all, refused before it costs a call.

Deliberately lax. The gateway can say only that a body is invalid; the function says which field
is, why, and whether to retry. So the gateway refuses what has no field to name (no JSON, no object)
or lacks one of the members that make a command, and all else gets the function's exact answer,
the same on AWS as on the emulator, which ignores models. Draft 4 is what API Gateway knows.
"""

from typing import Any, Final

COMMAND_MODEL: Final[dict[str, Any]] = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "required": ["type", "v", "id"],
}
COMMANDS_MODEL: Final[dict[str, Any]] = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "required": ["commands"],
}
