"""Clients: they ask until it is decided, always under the same id, and say so exactly once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ledger.contracts.commands import Command, OpenAccount, encode_command
from simulation.asks import Ask, HttpAnswer
from simulation.aws.calls import Network, Service, SimulatedClient
from simulation.aws.eventbridge import EventBridge
from simulation.aws.sqs import Sqs
from simulation.faults.injector import Injector
from simulation.faults.kinds import Fault
from simulation.kernel.chance import Chance
from simulation.kernel.hub import MILLISECOND, SECOND, Future, Hub, StuckError
from simulation.kernel.trace import Trace
from simulation.load.callers import Callers
from simulation.load.clients import Clients
from simulation.load.elements import Plan, Planned
from simulation.load.sending import Sending
from simulation.load.wire import ATTEMPTS_MAX
from simulation.load.words import opening
from simulation.wiring import model

NOON = 1_800_000_000_000_000
URL = "https://sqs.eu-central-1.amazonaws.com/000000000000/"
Reply = tuple[int, Any]


class Api:
    """Answers what `answer` says, of the method, the path and the body, after a moment."""

    def __init__(self, hub: Hub, answer: Callable[..., Reply]) -> None:
        self._hub = hub
        self._answer = answer
        self.heard: list[tuple[int, str, str, Any]] = []

    def request(
        self,
        method: str,
        path: str,
        *,
        caller: str,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Future[HttpAnswer]:
        said = json.loads(body) if body else dict(query or {})
        self.heard.append((self._hub.now, method, path, said))
        assert caller.startswith("arn:aws:sts::000000000000:assumed-role/")
        status, found = self._answer(len(self.heard), said)
        answered: Future[HttpAnswer] = Future()
        answer = HttpAnswer(status, {}, json.dumps(found).encode())
        self._hub.after(10 * MILLISECOND, partial(answered.resolve, answer))
        return answered


class Heard:
    """What the listener is told, ask by ask: what was asked, and the one thing that came of it."""

    def __init__(self) -> None:
        self.asks: dict[str, Ask] = {}
        self.came: dict[str, str] = {}

    def asked(self, ask: Ask) -> None:
        assert ask.id not in self.asks
        self.asks[ask.id] = ask

    def _is(self, ask: Ask, what: str) -> None:
        assert self.asks[ask.id] is ask
        assert ask.id not in self.came
        self.came[ask.id] = what

    def answered(self, ask: Ask, answer: HttpAnswer) -> None:
        self._is(ask, str(answer.status))

    def read(self, ask: Ask, answer: HttpAnswer) -> None:
        self._is(ask, f"read {answer.status}")

    def taken(self, ask: Ask) -> None:
        self._is(ask, "taken")

    def unanswered(self, ask: Ask) -> None:
        self._is(ask, "unanswered")


class SmallWorld:
    """As much of a world as clients see of it. What they send waits in its queues."""

    def __init__(
        self,
        answer: Callable[..., Reply] = lambda *_: (201, {}),
        rates: Mapping[Fault, float] | None = None,
    ) -> None:
        self.hub = Hub(NOON)
        self.chance = Chance(1)
        self.trace = Trace(self.hub, kept=True)
        self.injector = Injector(Random(1), rates or {}, self.trace)
        self.network = Network(self.hub, Random(2), self.injector)
        self.gateway = Api(self.hub, answer)
        self.wiring = cast(
            "model.Wiring",
            SimpleNamespace(
                account="000000000000",
                queues=(_queue("commands"), _queue("commands.fifo")),
                rules=(_rule("ledger", "elsewhere"), _rule("ingress", "commands")),
                variable={
                    "COMMANDS_QUEUE_URL": f"{URL}commands",
                    "COMMANDS_FIFO_QUEUE_URL": f"{URL}commands.fifo",
                }.__getitem__,
            ),
        )
        queues = (*self.wiring.queues, _queue("elsewhere"), _queue("dead"))
        self.sqs = Sqs(self.hub, Random(3), self.injector, queues)
        self.events = EventBridge(
            self.hub,
            Random(4),
            self.injector,
            self.sqs,
            buses=("ledger", "ingress"),
            rules=self.wiring.rules,
            account="000000000000",
            region="eu-central-1",
        )
        self.listener = Heard()

    def client(self, service: Service, *, attempts: int = 5) -> SimulatedClient:
        return SimulatedClient(self.network, None, service, attempts)

    def play(self, *elements: Planned) -> Heard:
        """Lets the clients do all of it; what was asked, and what came of it."""
        plan = Plan(begins=NOON, elements=elements, clients=Clients(100).every())
        tasks = Callers(cast("Any", self), plan, self.listener).start()
        self.hub.run(until=NOON + 3_600 * SECOND)
        for task in tasks:
            task.done.result()
            assert task.done.done
        assert self.listener.asks.keys() == self.listener.came.keys()
        return self.listener

    def ids_in(self, queue: str) -> list[str]:
        """The ids of the commands in a queue, in its order."""
        bodies = [json.loads(message.body) for message in self.sqs.peek(queue)]
        return [body.get("detail", body)["id"] for body in bodies]


def _queue(name: str) -> model.Queue:
    return model.Queue(
        name=name,
        url=URL + name,
        arn=f"arn:aws:sqs:eu-central-1:000000000000:{name}",
        fifo=name.endswith(".fifo"),
        visibility_seconds=60,
        retention_seconds=86_400,
    )


def _rule(bus: str, queue: str) -> model.Rule:
    return model.Rule(
        name=bus,
        bus=bus,
        pattern={"account": ["000000000000"]},
        queue=queue,
        dead_letters="dead",
        retries=3,
        age_seconds=3_600,
    )


def _sending() -> Sending:
    return Sending(Random(5), Clients(100))


def _open(name: str) -> OpenAccount:
    return opening(name, id=name)


def _sent(place: int, command: Command, way: Any = "rest", **more: Any) -> Planned:
    at = more.pop("at", NOON + place * SECOND)
    return _sending().one(command, at, way, place=place, **more)


def test_an_answered_command_is_asked_once_and_in_time() -> None:
    """At its moment, at its path, with its body, by its principal."""
    world = SmallWorld()
    heard = world.play(_sent(3, _open("a")))
    assert world.gateway.heard == [
        (NOON + 3 * SECOND, "POST", "/accounts", json.loads(encode_command(_open("a"))))
    ]
    (ask,) = heard.asks.values()
    assert (ask.route, ask.at, ask.attempt, ask.command) == (
        *("rest", NOON + 3 * SECOND, 1),
        _open("a"),
    )
    assert list(heard.came.values()) == ["201"]


def test_a_client_asks_again_with_back_off_under_the_same_id() -> None:
    """Until it is decided: a refusal is a decision."""
    replies: list[Reply] = [(503, {}), (429, {}), (500, {}), (422, {"reason": "x"})]
    world = SmallWorld(lambda number, _: replies[number - 1])
    heard = world.play(_sent(0, _open("a")))
    assert list(heard.came.values()) == ["503", "429", "500", "422"]
    assert [ask.attempt for ask in heard.asks.values()] == [1, 2, 3, 4]
    assert len({json.dumps(said) for *_, said in world.gateway.heard}) == 1
    times = [at for at, *_ in world.gateway.heard]
    assert times == sorted(set(times))


def test_a_client_gives_up_in_the_end_and_goes_on() -> None:
    """After a bounded number of attempts; what it was to ask then it asks late."""
    world = SmallWorld(lambda _, said: (503 if said["id"] == "a" else 201, {}))
    heard = world.play(
        _sent(0, _open("a"), client="branch-1"), _sent(1, _open("b"), client="branch-1")
    )
    assert list(heard.came.values()) == ["503"] * ATTEMPTS_MAX + ["201"]


def test_a_lost_reply_is_asked_for_again() -> None:
    """The listener is told that nothing was heard, whatever was decided."""
    world = SmallWorld(rates={Fault.REPLY_LOST: 0.6})
    heard = world.play(*(_sent(place, _open(f"a{place}")) for place in range(20)))
    lost = [id_ for id_, came in heard.came.items() if came == "unanswered"]
    assert len(lost) == world.injector.occurred[Fault.REPLY_LOST] >= 10
    for id_ in lost:
        place, attempt = id_.split(".")
        if int(attempt) < ATTEMPTS_MAX:
            assert f"{place}.{int(attempt) + 1}" in heard.asks


def test_a_client_may_repeat_what_it_was_answered() -> None:
    """Once more, as another attempt."""
    world = SmallWorld(rates={Fault.CALLER_REPEATED: 1.0})
    heard = world.play(_sent(0, _open("a")))
    assert [ask.id for ask in heard.asks.values()] == ["0.1", "0.2"]
    assert len(world.gateway.heard) == 2


def test_of_several_commands_the_undecided_are_sent_again_in_their_order() -> None:
    """And no others."""
    commands: list[Command] = [_open(name) for name in "abcd"]
    outcomes = iter([[201, 503, 422, 503], [503, 503], [201, 201]])

    def answer(_: int, said: Any) -> Reply:
        statuses = next(outcomes)
        assert len(statuses) == len(said["commands"])
        return 200, {"answers": [{"status": status, "body": {}} for status in statuses]}

    world = SmallWorld(answer)
    heard = world.play(_sending().several(commands, NOON, client="branch-1"))
    asked = [[one["id"] for one in said["commands"]] for *_, said in world.gateway.heard]
    assert asked == [["a", "b", "c", "d"], ["b", "d"], ["b", "d"]]
    assert [len(ask.commands) for ask in heard.asks.values()] == [4, 2, 2]
    assert {ask.route for ask in heard.asks.values()} == {"batch"}


@pytest.mark.parametrize(
    ("served", "unheard"), [(True, []), (False, ["a", "c", *["/payments"] * 9, "/reviews"])]
)
def test_in_the_end_everything_is_answered(served: bool, unheard: list[str]) -> None:
    """What was given up, and a sample of the rest, is asked once more, and all lists are read; what
    is put off even then is told."""
    is_up = False
    world = SmallWorld(lambda _, said: (201 if is_up or said.get("id") == "b" else 503, {}))
    elements = (_sent(0, _open("a")), _sent(1, _open("b")), _sent(2, _open("c"), "bus"))
    plan = Plan(begins=NOON, elements=elements, clients=Clients(100).every())
    callers = Callers(cast("Any", world), plan, world.listener)
    callers.start()
    world.hub.run()
    before = len(world.gateway.heard)
    is_up = served
    again = callers.ask_again()
    world.hub.run()
    assert again.done.result() == unheard
    asked = [said["id"] for *_, said in world.gateway.heard[before:] if "id" in said]
    assert list(dict.fromkeys(asked)) == ["a", "b", "c"]
    assert world.listener.asks.keys() == world.listener.came.keys()


def test_a_dry_run_says_so() -> None:
    """In its query, and to the listener."""
    world = SmallWorld(lambda *_: (200, {}))
    heard = world.play(_sent(0, _open("a"), route="dry_run", query={"dry_run": "true"}))
    (ask,) = heard.asks.values()
    assert (ask.route, dict(ask.query)) == ("dry_run", {"dry_run": "true"})


def test_a_mistake_of_the_simulation_shows_in_the_task() -> None:
    """An answer that is none is not swallowed."""
    world = SmallWorld(lambda *_: (200, {"answers": "none"}))
    with pytest.raises(Exception, match="Expected"):
        world.play(_sending().several([_open("a")], NOON, client="branch-1"))
    with pytest.raises(StuckError):
        world.hub.sleep(1)  # and nobody is left in the middle of anything


def test_managers_are_heard_by_nobody() -> None:
    """What they do shows in what subscribers are sent; they ask again as all do."""
    world = SmallWorld(lambda number, _: (503 if number == 1 else 200, {}))
    element = Planned(
        place=0,
        at=NOON,
        client="manager",
        route="manage",
        method="PUT",
        path="/webhooks/a",
        body=b'{"url":"https://a.example.com"}',
    )
    assert not world.play(element).asks
    assert [method for _, method, *_ in world.gateway.heard] == ["PUT", "PUT"]


def test_the_bus_takes_commands_and_says_nothing() -> None:
    """They are in the queue of commands, under the type that they are of, by who sent them."""
    world = SmallWorld()
    heard = world.play(*(_sent(place, _open(f"a{place}"), "bus") for place in range(5)))
    assert set(heard.came.values()) == {"taken"}
    assert sorted(world.ids_in("commands")) == [f"a{place}" for place in range(5)]
    envelope = json.loads(world.sqs.peek("commands")[0].body)
    assert envelope["detail-type"] == "account.open"
    actors = {ask.actor for ask in heard.asks.values()}
    assert f"events:{envelope['account']}:{envelope['source']}" in actors


ROUGH = {
    Fault.CALL_REFUSED: 0.15,
    Fault.CALL_ANSWER_LOST: 0.15,
    Fault.CALL_TIMED_OUT_AFTER: 0.1,
    Fault.PUT_EVENTS_ENTRY_FAILED: 0.3,
    Fault.QUEUE_ENTRY_FAILED: 0.3,
}


def test_what_the_bus_does_not_take_is_sent_again() -> None:
    """Whatever is said to be taken is there, at least once."""
    world = SmallWorld(rates=ROUGH)
    elements = [
        _sent(place, _open(f"a{place}"), "bus", at=NOON, client="feed-1") for place in range(40)
    ]
    heard = world.play(*elements)
    taken = {_id(heard, ask) for ask, came in heard.came.items() if came == "taken"}
    assert len(taken) == 40
    assert taken == set(world.ids_in("commands"))
    assert "unanswered" in heard.came.values()


def test_the_order_of_a_group_survives_every_failure() -> None:
    """What is sent again never comes behind its successor, and SQS has each message once."""
    world = SmallWorld(rates=ROUGH)
    elements: Sequence[Planned] = [
        _sent(place, _open(f"{group}-{place}"), "fifo", group=group, at=NOON, client="queue-1")
        for place, group in enumerate("abcab" * 8)
    ]
    heard = world.play(*elements)
    assert "unanswered" in heard.came.values()
    found = world.ids_in("commands.fifo")
    assert len(found) == len(set(found)) == 40
    for group in "abc":
        places = [int(id_.split("-")[1]) for id_ in found if id_.startswith(group)]
        assert places == sorted(places)


def _id(heard: Heard, ask: str) -> str:
    command = heard.asks[ask].command
    assert command is not None
    return command.id
