"""Where a ledger is and how to sign for it: one JSON file, for a local stack and AWS alike."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

ENVIRONMENT_VARIABLE: Final = "LEDGER_CONFIG"
DEFAULT_PATH: Final = Path(".ledger/config.json")
#: Of the stack on this machine, there only while it is up: it must not take the place of what
#: `connect` wrote.
LOCAL_PATH: Final = Path(".ledger/local.json")
_HOW_TO_GET_ONE: Final = (
    "`make run` starts a stack on this machine and writes it; "
    "`ledger connect --stack ledger-dev-service` writes it for a stack on AWS"
)
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class Credentials(Struct, frozen=True, forbid_unknown_fields=True):
    """A fixed key pair: a local stack's made-up one. For AWS there is none in the file."""

    access_key_id: str
    secret_access_key: str


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """One deployed ledger. `endpoint_url` is null on AWS; so are `credentials`, which boto3 then
    finds by its own chain. `outputs` are the stack's, by output key."""

    region: str
    endpoint_url: str | None
    api_url: str
    outputs: dict[str, str]
    credentials: Credentials | None

    def output(self, key: str) -> str:
        """A stack output. Raises ConfigError if the stack has none of that name."""
        try:
            return self.outputs[key]
        except KeyError:
            raise ConfigError(f"the stack has no output {key}: {_HOW_TO_GET_ONE}") from None

    @property
    def is_local(self) -> bool:
        """Whether the ledger runs on this machine, where no proxy stands between."""
        return urlsplit(self.endpoint_url or self.api_url).hostname in _LOOPBACK


class ConfigError(Exception):
    """No usable configuration; the message says what to run."""


def find(option: Path | None, environment: Mapping[str, str] | None = None) -> Path:
    """The file to read: the option, else LEDGER_CONFIG, else that of a stack that is up on this
    machine, else the one that `connect` writes."""
    return option or _named(environment) or (LOCAL_PATH if LOCAL_PATH.exists() else DEFAULT_PATH)


def of_connect(option: Path | None, environment: Mapping[str, str] | None = None) -> Path:
    """The file that `connect` writes: the option, else LEDGER_CONFIG, else the default."""
    return option or _named(environment) or DEFAULT_PATH


def _named(environment: Mapping[str, str] | None) -> Path | None:
    named = (os.environ if environment is None else environment).get(ENVIRONMENT_VARIABLE)
    return Path(named) if named else None


def load(path: Path) -> Config:
    """The configuration in `path`. Raises ConfigError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Config)
    except FileNotFoundError:
        raise ConfigError(f"no configuration at {path}: {_HOW_TO_GET_ONE}") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not a configuration: {error}: {_HOW_TO_GET_ONE}") from error


def save(config: Config, path: Path) -> None:
    """Writes `path` as a whole or not at all, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    body = msgspec.json.format(msgspec.json.encode(config), indent=2)
    draft.touch(mode=0o600)
    draft.write_bytes(body + b"\n")
    draft.replace(path)
