"""ISO 20022 messages as sources of commands: read safely, held to their schema, then mapped."""
