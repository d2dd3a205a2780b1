"""The configuration file: found, read, written, and helpful when it is not there."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from ledger.client.aws import client_arguments
from ledger.client.config import (
    DEFAULT_PATH,
    LOCAL_PATH,
    Config,
    ConfigError,
    Credentials,
    find,
    load,
    of_connect,
    save,
)

LOCAL = Config(
    region="eu-central-1",
    endpoint_url="http://127.0.0.1:4566",
    api_url="http://127.0.0.1:4566/_aws/execute-api/abc/v1/",
    outputs={"ApiUrl": "x"},
    credentials=Credentials(access_key_id="000000000000", secret_access_key="test"),
)
ON_AWS = Config(
    region="eu-central-1",
    endpoint_url=None,
    api_url="https://abc.execute-api.eu-central-1.amazonaws.com/v1/",
    outputs={},
    credentials=None,
)


def test_the_option_goes_before_the_environment_before_the_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--config, then LEDGER_CONFIG, then what is in .ledger; an empty variable is none."""
    monkeypatch.chdir(tmp_path)
    environment = {"LEDGER_CONFIG": "/from/environment"}
    for choose in (find, of_connect):
        assert choose(Path("/from/option"), environment) == Path("/from/option")
        assert choose(None, environment) == Path("/from/environment")
        assert choose(None, {"LEDGER_CONFIG": ""}) == DEFAULT_PATH
        assert choose(None, {}) == DEFAULT_PATH == Path(".ledger/config.json")


def test_a_stack_that_is_up_here_goes_before_the_connected_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file is read while it is there; `connect` never writes over it, nor it over the other."""
    monkeypatch.chdir(tmp_path)
    save(LOCAL, LOCAL_PATH)
    assert find(None, {}) == LOCAL_PATH
    assert of_connect(None, {}) == DEFAULT_PATH != LOCAL_PATH
    LOCAL_PATH.unlink()
    assert find(None, {}) == DEFAULT_PATH


@pytest.mark.parametrize("config", [LOCAL, ON_AWS])
def test_what_is_saved_is_what_is_loaded_and_only_its_owner_reads_it(
    tmp_path: Path, config: Config
) -> None:
    """Round trip through a directory that did not exist; mode 600, since keys may be in it."""
    path = tmp_path / "new" / "config.json"
    save(config, path)
    save(config, path)
    assert load(path) == config
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["config.json"]


def test_an_absent_file_says_what_to_run(tmp_path: Path) -> None:
    """The error names the file and both ways of getting one."""
    with pytest.raises(ConfigError, match=r"absent\.json.*make run.*ledger connect --stack"):
        load(tmp_path / "absent.json")


@pytest.mark.parametrize("body", ["", "[]", '{"region": 1}', '{"region":"x","surplus":1}', "\xff"])
def test_a_spoilt_file_is_refused(tmp_path: Path, body: str) -> None:
    """Not JSON, another shape, an unknown member, not UTF-8."""
    path = tmp_path / "config.json"
    path.write_bytes(body.encode("latin-1"))
    with pytest.raises(ConfigError, match="is not a configuration"):
        load(path)


def test_a_missing_output_names_itself() -> None:
    """A verb that needs a queue says which output the stack lacks."""
    assert LOCAL.output("ApiUrl") == "x"
    with pytest.raises(ConfigError, match="no output CommandsFifoQueueUrl"):
        LOCAL.output("CommandsFifoQueueUrl")


def test_a_local_stack_is_reached_past_any_proxy() -> None:
    """Environments that set HTTP_PROXY must not send loopback requests there."""
    assert client_arguments(LOCAL)["config"].proxies == {}
    assert client_arguments(ON_AWS)["config"].proxies is None
    assert (LOCAL.is_local, ON_AWS.is_local) == (True, False)
