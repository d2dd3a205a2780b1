"""The one error of the sandbox."""


class SandboxError(RuntimeError):
    """The embedded stack cannot run; the message tells whoever started it why."""
