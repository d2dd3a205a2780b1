"""The verbs for webhooks: who is sent what is recorded, and a receiver to try it with."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from http import HTTPStatus
from typing import Annotated, Any, Final

import typer

from ledger.cli.connection import connection
from ledger.cli.failures import UsageError, reporting
from ledger.cli.options import ConfigOption, JsonOption, an_id
from ledger.cli.output import Output, fields, table
from ledger.cli.requests import answered
from ledger.client.receiver import Received, receiving

app = typer.Typer(
    help="Webhooks: who is sent what the ledger records.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

_SHOWN_ONCE: Final = "the secret is shown this once: keep it where the receiver finds it"
_FILTERS: Final = ("types", "accounts", "currencies", "amount_bands", "reasons", "payments")

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The webhook's id.", callback=an_id)]
Values = list[str] | None


@app.command("add")
def put(
    webhook: IdArgument,
    url: Annotated[str, typer.Argument(help="Where to: https, and not a private address.")],
    *,
    type_: Annotated[
        Values, typer.Option("--type", help="Only this type; more than once for several.")
    ] = None,
    account: Annotated[
        Values,
        typer.Option(
            help="Only what touches this account; with a `*` behind it, any whose id begins so."
        ),
    ] = None,
    currency: Annotated[Values, typer.Option(help="Only this currency.")] = None,
    amount_band: Annotated[
        Values, typer.Option(help="Only payments of this band, as `100-1000`.")
    ] = None,
    reason: Annotated[Values, typer.Option(help="Only rejections for this reason.")] = None,
    payment: Annotated[
        Values,
        typer.Option(help="Only what is about this payment; a `*` behind it as for --account."),
    ] = None,
    disabled: Annotated[
        bool, typer.Option("--disabled", help="Send it nothing until it is added without this.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a webhook, or change the one with this id. The first time its secret is shown.

    `ledger webhooks add shop https://shop.example/hooks --type payment.posted --account 'shops:*'`
    """
    with reporting(as_json) as output:
        values = (type_, account, currency, amount_band, reason, payment)
        kinds = zip(_FILTERS, values, strict=True)
        body = {
            "url": url,
            "filters": {name: wanted for name, wanted in kinds if wanted},
            "enabled": not disabled,
        }
        reply = answered(connection(config).api().put_webhook(webhook, json.dumps(body).encode()))
        _show(output, reply.body)


@app.command("list")
def every(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List all webhooks."""
    with reporting(as_json) as output:
        body = answered(connection(config).api().webhooks()).body
        rows = (
            (each["id"], _state(each), each["url"], _wants(each["filters"]))
            for each in body["webhooks"]
        )
        output.result(body, table(("id", "state", "url", "wants"), rows))


@app.command("show")
def show(webhook: IdArgument, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show a webhook."""
    with reporting(as_json) as output:
        _show(output, answered(connection(config).api().webhook(webhook)).body)


@app.command("rotate")
def rotate(
    webhook: IdArgument,
    now: Annotated[
        bool,
        typer.Option("--now", help="The secret before signs no more: it has leaked, or was lost."),
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a webhook a new secret. For a day, the one before signs beside it."""
    with reporting(as_json) as output:
        _show(output, answered(connection(config).api().rotate_webhook(webhook, now=now)).body)


@app.command("remove")
def remove(webhook: IdArgument, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Remove a webhook and its secret. What is on its way to it ends in the dead letters."""
    with reporting(as_json) as output:
        body = answered(connection(config).api().remove_webhook(webhook)).body
        output.result(body, fields((("webhook", body["id"]), ("status", body["status"]))))


@app.command("test")
def try_out(webhook: IdArgument, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Send a webhook a notification of type `webhook.test`, by the path that all take."""
    with reporting(as_json) as output:
        body = answered(connection(config).api().test_webhook(webhook)).body
        shown = (("webhook", body["id"]), ("status", body["status"]))
        output.result(body, fields((*shown, ("webhook-id", body["webhook_id"]))))


@app.command("listen")
def listen(
    secret: Annotated[
        list[str],
        typer.Option(
            envvar="LEDGER_WEBHOOK_SECRET",
            help="What `add` or `rotate` showed; more than once while a secret is replaced.",
        ),
    ],
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 is any that is free.")] = 8765,
    answer: Annotated[
        int, typer.Option(min=200, max=599, help="The status for what is verified.")
    ] = HTTPStatus.NO_CONTENT,
    count: Annotated[
        int | None, typer.Option(min=1, help="End after that many requests.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON value a line.")] = False,
) -> None:
    """Receive webhooks on this machine (127.0.0.1), verify them, and print what came.

    `ledger webhooks listen --secret whsec_…` answers 204 to what the secret has signed, 401 to
    anything else.
    """
    with reporting(as_json) as output:
        done = threading.Event()
        seen = 0

        def take(received: Received) -> None:
            nonlocal seen
            seen += 1
            _print(output, received)
            if count is not None and seen >= count:
                done.set()

        try:
            with receiving(secret, take, port=port, judge=lambda _: answer) as url:
                output.note(f"listening at {url}: Ctrl-C ends it")
                with suppress(KeyboardInterrupt):
                    done.wait()
        except OSError as error:
            raise UsageError(f"port {port} cannot be used: {error.strerror}") from error
        except ValueError as error:
            raise UsageError(f"a secret is `whsec_` and base64: {error}") from error


def _print(output: Output, received: Received) -> None:
    said = received.notification
    value: dict[str, Any] = {
        "webhook_id": received.webhook_id,
        "status": int(received.status),
        "verified": not received.fault,
        "repeat": received.repeat,
        **({"fault": received.fault} if received.fault else {"notification": said}),
    }
    verdict = f"refused: {received.fault}" if received.fault else "verified"
    again = ", again" if received.repeat else ""
    what = "" if received.fault else f"  {said.get('type', '?')}  {said.get('id', '?')}"
    output.result(value, f"{value['status']}  {verdict}{again}  {received.webhook_id}{what}")


def _show(output: Output, body: dict[str, Any]) -> None:
    """A webhook, with its secret if that was made just now."""
    webhook = body.get("webhook", body)
    facts = [
        ("webhook", webhook["id"]),
        ("url", webhook["url"]),
        ("state", _state(webhook)),
        ("wants", _wants(webhook["filters"])),
        ("created", webhook["created_at"]),
        ("changed", webhook["updated_at"]),
    ]
    if "previous_secret_until" in webhook:
        facts.append(("secret before", f"signs until {webhook['previous_secret_until']}"))
    if "secret" in body:
        facts.append(("secret", body["secret"]))
        output.note(_SHOWN_ONCE)
    output.result(body, fields(facts))


def _state(webhook: dict[str, Any]) -> str:
    if webhook["enabled"]:
        return "enabled"
    by = {"gone": "by its endpoint, which answered 410", "request": "by request"}
    return f"disabled {by.get(webhook.get('disabled_by', ''), '')}".rstrip()


def _wants(filters: dict[str, list[str]]) -> str:
    shown = (f"{name.replace('_', ' ')}: {', '.join(filters[name])}" for name in filters)
    return "; ".join(shown) or "everything"
