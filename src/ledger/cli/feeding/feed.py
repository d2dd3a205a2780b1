"""Sends the phases of a source, each when the one before is decided."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from functools import partial
from itertools import takewhile
from threading import Event
from typing import Final

from ledger.cli.connection import Connection
from ledger.cli.feeding.bulk import gathered, group_of
from ledger.cli.feeding.emptying import wait_until_empty
from ledger.cli.feeding.lanes import Lanes
from ledger.cli.feeding.outcomes import Outcomes
from ledger.cli.feeding.routes import Entry, Routes
from ledger.client.bulk import bulked
from ledger.client.messages import Message
from ledger.client.rest import LedgerApi
from ledger.importers.instructions import Instruction, Phase

THREADS_DEFAULT: Final = 4  # for an account on AWS, give more

Route = Callable[[Phase], Routes]


class Feed:
    """Feeds one ledger, and counts in `outcomes` what became of what it fed.

    `advance` is called, from several threads, with how many were sent.
    """

    def __init__(
        self,
        connection: Connection,
        outcomes: Outcomes,
        *,
        threads: int = THREADS_DEFAULT,
        advance: Callable[[int], None],
    ) -> None:
        self._connection = connection
        self._outcomes = outcomes
        self._threads = threads
        self._advance = advance

    def send(self, phases: Sequence[Phase], route: Route) -> None:
        """Sends all phases, each over the entry points that `route` gives.

        What has no answer is waited for before the next phase: until the queues of commands are
        empty. Raises what a client raises, and StalledError.
        """
        for phase in phases:
            routes = {entry: ones for entry, ones in route(phase).items() if ones}
            self._send_phase(routes)
            if routes.keys() - {Entry.REST}:
                self.wait_until_decided()

    def wait_until_decided(self, on_look: Callable[[int], None] = lambda _: None) -> None:
        """Returns once no command waits in a queue."""
        config = self._connection.config
        urls = [config.output("CommandsQueueUrl"), config.output("CommandsFifoQueueUrl")]
        wait_until_empty(self._connection.sqs, urls, on_look=on_look)

    def _send_phase(self, routes: Routes) -> None:
        stop = Event()
        # Made here, not in the threads: making boto3 clients is not safe there.
        senders = [self._sender(entry, ones, stop) for entry, ones in routes.items()]
        with ThreadPoolExecutor(max_workers=len(Entry)) as pool:
            running = [pool.submit(send) for send in senders]
            try:
                done, _ = wait(running, return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result()
            finally:
                stop.set()  # one failed, or Ctrl-C: the others must not go on to the end

    def _sender(
        self, entry: Entry, all_of_it: Sequence[Instruction], stop: Event
    ) -> Callable[[], object]:
        ones = takewhile(lambda _: not stop.is_set(), all_of_it)
        if entry is Entry.REST:
            return partial(self._rest, self._connection.api(self._threads), ones)
        sender = self._connection.bus() if entry is Entry.BUS else self._connection.fifo()
        return partial(sender.send, self._counted(bulked(_messages(ones, entry)), entry))

    def _rest(self, api: LedgerApi, instructions: Iterable[Instruction]) -> None:
        def work(together: Sequence[Instruction]) -> None:
            replies = api.send_each([(one.command_type, one.body) for one in together])
            for instruction, reply in zip(together, replies, strict=True):
                self._outcomes.add_reply(instruction, reply)
            self._advance(len(together))

        lanes = Lanes(self._threads, work)
        lanes.run(gathered(instructions, self._threads), lambda ones: ones[0].ordering_key)

    def _counted(self, messages: Iterable[Message], entry: Entry) -> Iterator[Message]:
        """The messages, each counted when the sender asks for the one behind it."""
        for message in messages:
            yield message
            self._outcomes.add_sent(entry, message.commands)
            self._advance(message.commands)


def _messages(instructions: Iterable[Instruction], entry: Entry) -> Iterator[Message]:
    """What keeps its order keeps it in groups; the bus keeps none."""
    for one in instructions:
        key = group_of(one.ordering_key) if entry is Entry.QUEUE else ""
        yield Message(one.command_type, one.body, key)
