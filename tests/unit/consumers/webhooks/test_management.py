"""The REST API about subscribers: what is changed, what is answered, what is refused and why."""

from __future__ import annotations

import json
import socket
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from consumers.webhooks import manager as module
from consumers.webhooks.addresses import Address
from consumers.webhooks.directory import Directory, MemoryDirectory
from consumers.webhooks.management import OVERLAP_SECONDS, Management
from consumers.webhooks.manager import make_handler
from consumers.webhooks.messages import decode_delivery
from consumers.webhooks.secrets import MemorySecrets, SecretMissingError
from consumers.webhooks.subscribers import SUBSCRIBERS_MAX, Subscriber
from ledger.contracts.primitives import instant_of_microseconds
from ledger.contracts.reasons import BY_CODE
from ledger.runtime.faults import StoreError
from ledger.runtime.settings import SettingsError
from ledger.runtime.telemetry import Line, Telemetry
from tests.support.webhooks import NOW, URL, FakeSqs, subscribed

Answer = tuple[int, dict[str, Any]]
PUBLIC = ip_address("93.184.216.34")


class World:
    """The function, with all that it calls in memory."""

    def __init__(self, store: MemoryDirectory | None = None) -> None:
        self.store = store or MemoryDirectory()
        self.secrets = MemorySecrets()
        self.sqs = FakeSqs()
        self.lines: list[Line] = []
        self.now = NOW
        self.addresses: Sequence[Address] = [PUBLIC]
        self.drawn = 0
        management = Management(
            store=self.store,
            secrets=self.secrets,
            sqs=self.sqs,  # type: ignore[arg-type]
            deliveries_queue_url="https://sqs/deliveries",
            trusted=lambda: [ip_network("127.0.0.0/8")],
            resolve=self.resolve,
            clock=lambda: self.now,
            random_bytes=self.random_bytes,
        )
        self._handler = make_handler(management=management, telemetry=Telemetry(self.lines.append))

    def resolve(self, _host: str, _port: int) -> Sequence[Address]:
        if not self.addresses:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return self.addresses

    def random_bytes(self, count: int) -> bytes:
        self.drawn += 1
        return bytes([self.drawn]) * count

    def ask(
        self, method: str, id: str = "", verb: str = "", body: object = None, **event: Any
    ) -> Answer:
        """The status and body of the answer."""
        resource = "/webhooks" + ("/{id}" if id else "") + (f"/{verb}" if verb else "")
        response = self._handler(
            {
                "httpMethod": method,
                "resource": resource,
                "pathParameters": {"id": id} if id else None,
                "headers": {"Content-Type": "application/json"},
                "body": body if body is None or isinstance(body, str) else json.dumps(body),
                **event,
            },
            None,
        )
        assert response["headers"]["cache-control"] == "no-store"
        return response["statusCode"], json.loads(response["body"])

    def put(self, id: str = "shop", **fields: object) -> Answer:
        """Asks for a subscriber to be like this."""
        return self.ask("PUT", id, body={"url": URL, **fields})

    def subscriber(self, id: str = "shop") -> Subscriber:
        """As it is stored."""
        return self.store.read().subscribers[id]


def refused(answer: Answer) -> tuple[str, str]:
    """Reason and field of a refusal, which says what the table of reasons says."""
    status, body = answer
    reason = BY_CODE[body["reason"]]
    assert (status, body["retry"], body["title"]) == (
        int(reason.status),
        reason.retry,
        reason.meaning,
    )
    return body["reason"], body.get("field", "")


def test_the_first_put_makes_a_subscriber_and_shows_its_secret_once() -> None:
    """201 with a secret that signs; repeated, 200 without it and without a change."""
    world = World()
    filters = {"types": ["payment.posted"], "accounts": ["shop:*"]}
    status, body = world.put(filters=filters)
    assert status == 201
    at = instant_of_microseconds(NOW)
    assert body["webhook"] == {
        "id": "shop",
        "url": URL,
        "filters": filters,
        "enabled": True,
        "created_at": at,
        "updated_at": at,
    }
    assert Webhook(body["secret"]).sign("id", datetime.now(UTC), "").startswith("v1,")
    assert world.secrets.get("shop", world.subscriber().keys[0].version) == body["secret"]
    world.now += 1_000_000
    assert world.put(filters=filters) == (200, body["webhook"])
    assert world.ask("GET", "shop") == (200, body["webhook"])


def test_a_put_replaces_everything_but_the_secret() -> None:
    """What it leaves out goes back to its default; who is sent to verifies as before."""
    world = World()
    world.put(filters={"currencies": ["EUR"]}, enabled=False)
    keys = world.subscriber().keys
    world.now += 1_000_000
    status, body = world.put(url="https://other.example/")
    assert status == 200
    assert (body["url"], body["filters"], body["enabled"]) == ("https://other.example/", {}, True)
    assert body["updated_at"] > body["created_at"]
    assert world.subscriber().keys == keys


def test_a_put_enables_what_its_endpoint_disabled() -> None:
    """And who disabled it is said, and stays said while it is put disabled."""
    world = World()
    world.put()
    store = world.store
    store.write(store.read().with_(world.subscriber().changed(disabled_by="gone")))
    assert world.ask("GET", "shop")[1]["disabled_by"] == "gone"
    assert world.put(enabled=False)[1]["disabled_by"] == "gone"
    assert world.put()[1]["enabled"] is True
    assert world.put(enabled=False)[1]["disabled_by"] == "request"


def test_a_put_that_was_cut_off_before_the_secret_is_ended_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A record without a key gets one, and the answer shows it."""
    world = World()

    def put(*_: str) -> str:
        raise StoreError("InternalServiceError")

    with monkeypatch.context() as failing:
        failing.setattr(world.secrets, "put", put)
        assert refused(world.put()) == ("store_unavailable", "")
    assert world.subscriber().keys == ()
    status, body = world.put()
    assert status == 201
    assert world.secrets.get("shop", world.subscriber().keys[0].version) == body["secret"]


def test_of_two_puts_at_once_one_shows_the_secret_that_signs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The other answers without: never a secret that is not in force."""
    world = World()
    real, answers = world.secrets.put, []

    def put(id: str, secret: str) -> str:
        monkeypatch.setattr(world.secrets, "put", real)
        answers.append(world.put())
        return real(id, secret)

    monkeypatch.setattr(world.secrets, "put", put)
    answers.append(world.put())
    assert [status for status, _ in answers] == [201, 200]
    assert "secret" not in answers[1][1]
    version = world.subscriber().keys[0].version
    assert world.secrets.get("shop", version) == answers[0][1]["secret"]


def test_a_change_that_came_first_is_not_overwritten() -> None:
    """A conflicting write is asked again on what is there; when that never ends, it is said."""

    class Contended(MemoryDirectory):
        left = 3

        def write(self, directory: Directory) -> bool:
            if self.left:
                self.left -= 1
                now = self.read()
                assert super().write(now.with_(subscribed(f"other-{self.left}")))
                return False
            return super().write(directory)

    store = Contended()
    world = World(store)
    assert world.put()[0] == 201
    assert set(store.read().subscribers) == {"shop", "other-0", "other-1", "other-2"}
    store.left = 99
    assert refused(world.put(enabled=False)) == ("contention", "")
    assert world.lines[-1].level == "warning"


def test_there_is_a_most_of_subscribers() -> None:
    """One more is refused; changing one that is there is not."""
    world = World()
    for place in range(SUBSCRIBERS_MAX):
        assert world.put(f"s{place}")[0] == 201
    assert refused(world.put("one-more")) == ("webhook_limit", "")
    assert world.put("s0", enabled=False)[0] == 200
    world.ask("DELETE", "s0")
    assert world.put("one-more")[0] == 201


def test_all_are_listed_by_id() -> None:
    """Without secrets."""
    world = World()
    assert world.ask("GET") == (200, {"webhooks": []})
    for id in ("b", "a", "c"):
        world.put(id)
    status, body = world.ask("GET")
    assert (status, [each["id"] for each in body["webhooks"]]) == (200, ["a", "b", "c"])
    assert "whsec_" not in json.dumps(body)


def test_a_rotation_shows_a_new_secret_beside_which_the_old_one_signs() -> None:
    """For the overlap and not longer."""
    world = World()
    first = world.put()[1]["secret"]
    status, body = world.ask("POST", "shop", "rotate")
    assert status == 200
    assert body["secret"] != first
    end = instant_of_microseconds(NOW + OVERLAP_SECONDS * 1_000_000)
    assert body["webhook"]["previous_secret_until"] == end
    newest, before = world.subscriber().keys
    assert (newest.until, before.until) == (None, end)
    assert world.secrets.get("shop", newest.version) == body["secret"]
    assert world.secrets.get("shop", before.version) == first
    world.now += OVERLAP_SECONDS * 1_000_000
    assert "previous_secret_until" not in world.ask("GET", "shop")[1]


def test_a_second_rotation_waits_for_the_first_or_says_now() -> None:
    """Else the secret that receivers have would be lost; `now` is for one that has leaked."""
    world = World()
    world.put()
    world.ask("POST", "shop", "rotate")
    keys = world.subscriber().keys
    assert refused(world.ask("POST", "shop", "rotate")) == ("webhook_rotating", "id")
    assert refused(world.ask("POST", "shop", "rotate", {"now": False}))[0] == "webhook_rotating"
    assert world.subscriber().keys == keys
    status, body = world.ask("POST", "shop", "rotate", {"now": True})
    assert status == 200
    [key] = world.subscriber().keys
    assert world.secrets.get("shop", key.version) == body["secret"]
    assert world.ask("POST", "shop", "rotate")[0] == 200


def test_a_rotation_after_the_overlap_keeps_one_secret_beside() -> None:
    """Keys that have ended are forgotten."""
    world = World()
    world.put()
    world.ask("POST", "shop", "rotate")
    world.now += OVERLAP_SECONDS * 1_000_000
    world.ask("POST", "shop", "rotate")
    assert len(world.subscriber().keys) == 2


def test_a_removal_takes_the_secret_along() -> None:
    """Removed again it is unknown; a secret that was left behind goes all the same."""
    world = World()
    world.put()
    version = world.subscriber().keys[0].version
    assert world.ask("DELETE", "shop") == (200, {"id": "shop", "status": "removed"})
    world.secrets.keep("shop", version, "left behind")
    assert refused(world.ask("DELETE", "shop")) == ("webhook_unknown", "id")
    with pytest.raises(SecretMissingError):
        world.secrets.get("shop", version)


def test_a_test_is_sent_by_the_way_of_all_deliveries() -> None:
    """Into their queue, with a notification that says what it is."""
    world = World()
    world.put()
    status, body = world.ask("POST", "shop", "test")
    [sent] = world.sqs.sent
    delivery = decode_delivery(sent["MessageBody"])
    assert (status, body["status"], body["webhook_id"]) == (202, "queued", delivery.message)
    assert (sent["MessageGroupId"], delivery.subscriber) == ("shop", "shop")
    said = json.loads(bytes(delivery.notification))
    assert (said["type"], said["v"]) == ("webhook.test", 1)
    assert said["recorded_at"] == instant_of_microseconds(NOW)
    assert world.ask("POST", "shop", "test")[1]["webhook_id"] != delivery.message


def test_a_disabled_subscriber_is_not_tested() -> None:
    """It would end in the dead letters."""
    world = World()
    world.put(enabled=False)
    assert refused(world.ask("POST", "shop", "test")) == ("webhook_disabled", "id")
    assert world.sqs.sent == []


@pytest.mark.parametrize(
    ("method", "verb"), [("GET", ""), ("DELETE", ""), ("POST", "rotate"), ("POST", "test")]
)
def test_an_unknown_subscriber_is_said_so(method: str, verb: str) -> None:
    """By every route that needs one; no secret is made for it."""
    world = World()
    assert refused(world.ask(method, "nobody", verb)) == ("webhook_unknown", "id")
    assert world.secrets.put("nobody", "x") == "made-1"


@pytest.mark.parametrize(
    ("body", "reason", "field"),
    [
        ("", "malformed_json", ""),
        ("[]", "malformed_json", ""),
        ('{"url":', "malformed_json", ""),
        ("[" * 100_000, "payload_too_large", ""),
        ("[" * 60_000, "malformed_json", ""),
        ("{}", "missing_field", "url"),
        ({"url": URL, "secret": "x"}, "unknown_field", "secret"),
        ({"url": URL, "4111 1111 1111 1111": 1}, "unknown_field", "(unprintable)"),
        ({"url": 7}, "webhook_invalid", "url"),
        ({"url": "https://a b/"}, "webhook_invalid", "url"),
        ({"url": "http://shop.example/"}, "webhook_url_insecure", "url"),
        ({"url": "https://me:secret@shop.example/"}, "webhook_url_credentials", "url"),
        ({"url": URL, "enabled": 1}, "webhook_invalid", "enabled"),
    ],
)
def test_a_malformed_request_changes_nothing(body: object, reason: str, field: str) -> None:
    """Each with its reason and the field at fault."""
    world = World()
    assert refused(world.ask("PUT", "shop", body=body)) == (reason, field)
    assert world.store.read().version == 0


@pytest.mark.parametrize(
    ("filters", "reason", "field"),
    [
        ([], "webhook_invalid", ""),
        ({"colour": ["red"]}, "unknown_field", "colour"),
        ({"types": "x"}, "webhook_invalid", "types"),
        ({"types": []}, "webhook_invalid", "types"),
        ({"types": ["x"]}, "webhook_invalid", "types[0]"),
        ({"types": [1]}, "webhook_invalid", "types[0]"),
        ({"accounts": ["a"] * 26}, "webhook_invalid", "accounts"),
        ({"accounts": ["a", "b**"]}, "webhook_invalid", "accounts[1]"),
        ({"accounts": ["*"]}, "webhook_invalid", "accounts[0]"),
        ({"payments": ["order 7"]}, "webhook_invalid", "payments[0]"),
        ({"currencies": ["EURO"]}, "webhook_invalid", "currencies[0]"),
        ({"amount_bands": ["1"]}, "webhook_invalid", "amount_bands[0]"),
        ({"reasons": ["throttled"]}, "webhook_invalid", "reasons[0]"),
    ],
)
def test_a_filter_that_nothing_could_pass_is_refused(
    filters: object, reason: str, field: str
) -> None:
    """A typo is said at once: it would else be silence, for ever."""
    world = World()
    path = f"filters.{field}".rstrip(".")
    assert refused(world.put(filters=filters)) == (reason, path)
    assert world.store.read().version == 0


def test_requests_of_another_form_are_refused() -> None:
    """Ids, media types, parameters and bodies of rotations."""
    world = World()
    world.put()
    assert refused(world.ask("GET", "a:b")) == ("webhook_invalid", "id")
    assert refused(world.ask("GET", "%ff")) == ("webhook_invalid", "id")
    assert world.ask("GET", "sho%70")[0] == 200
    html = world.ask("PUT", "shop", body={"url": URL}, headers={"content-type": "text/html"})
    assert refused(html) == ("unsupported_media_type", "")
    asked = world.ask("POST", "shop", "rotate", queryStringParameters={"now": "1"})
    assert refused(asked) == ("invalid_query", "now")
    assert refused(world.ask("POST", "shop", "rotate", {"now": 1})) == ("webhook_invalid", "now")
    assert refused(world.ask("POST", "shop", "rotate", {"soon": 1})) == ("unknown_field", "soon")
    encoded = b64encode(json.dumps({"url": URL, "enabled": False}).encode()).decode()
    assert world.ask("PUT", "shop", body=encoded, isBase64Encoded=True)[1]["enabled"] is False
    assert refused(world.ask("PUT", "shop", body="?", isBase64Encoded=True))[0] == "malformed_json"


@pytest.mark.parametrize(
    ("url", "addresses", "reason"),
    [
        ("https://shop.example/", ["10.0.0.1"], "webhook_address_refused"),
        ("https://shop.example/", ["93.184.216.34", "169.254.169.254"], "webhook_address_refused"),
        ("https://[::1]/", ["::1"], "webhook_address_refused"),
        ("http://shop.example/", ["93.184.216.34"], "webhook_url_insecure"),
        ("http://shop.example/", [], "webhook_url_insecure"),
    ],
)
def test_an_address_inside_is_refused_at_once(url: str, addresses: list[str], reason: str) -> None:
    """Whoever points a webhook at our own network learns it when doing so."""
    world = World()
    world.addresses = [ip_address(address) for address in addresses]
    assert refused(world.put(url=url)) == (reason, "url")
    assert world.store.read().version == 0


def test_a_trusted_network_and_a_name_without_an_address_yet_are_accepted() -> None:
    """The first by plain http, too; the second is judged when it is sent to."""
    world = World()
    world.addresses = [ip_address("127.0.0.1")]
    assert world.put("near", url="http://127.0.0.1:8765/")[0] == 201
    world.addresses = []
    assert world.put("later")[0] == 201


def test_stores_that_do_not_answer_are_an_outage() -> None:
    """503 with when to ask again; the line says which error it was."""
    world = World()

    def read() -> Directory:
        raise StoreError("ThrottlingException")

    world.store.read = read  # type: ignore[method-assign]
    assert refused(world.ask("GET")) == ("store_unavailable", "")
    assert world.lines[0].notes["store_error"] == "ThrottlingException"
    fresh = World()
    fresh.put()
    fresh.sqs.refusing = True
    assert refused(fresh.ask("POST", "shop", "test")) == ("store_unavailable", "")


@given(st.text(max_size=200) | st.binary(max_size=50).map(lambda raw: raw.decode("latin-1")))
def test_no_body_is_answered_by_anything_but_a_reason(text: str) -> None:
    """Whatever is sent, the answer is a refusal of the table, or an acceptance."""
    world = World()
    status, body = world.ask("PUT", "shop", body=text)
    assert status == 201 or body["reason"] in BY_CODE


def test_secrets_and_urls_are_never_logged() -> None:
    """Routes, ids, statuses and reasons are."""
    world = World()
    secret = world.put()[1]["secret"]
    world.ask("POST", "shop", "rotate")
    world.put(url="https://me:password@shop.example/")
    said = repr(world.lines)
    assert "'webhook': 'shop'" in said
    for private in (secret, "whsec_", "shop.example", "password"):
        assert private not in said


def test_the_function_names_what_it_misses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its environment it raises at the first call, naming every variable."""
    names = (
        *("WEBHOOKS_TABLE", "WEBHOOK_SECRETS_PREFIX"),
        *("WEBHOOK_SECRETS_KEY", "WEBHOOK_NETWORKS_PARAMETER", "DELIVERIES_QUEUE_URL"),
    )
    for name in names:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SettingsError) as raised:
        module.handler({}, None)
    assert raised.value.names == names
