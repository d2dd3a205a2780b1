"""Planted in what follows from events: screening, notifications and webhooks."""

from __future__ import annotations

from typing import Final

from simulation.bugs.planted import PlantedBug
from simulation.faults.profiles import Profile
from simulation.releases.patches import Patch

_SENDING: Final = "consumers.fraud.sending"
_FRAUD_STORE: Final = "consumers.fraud.store"
_ATTEMPTS: Final = "consumers.webhooks.attempts"

CONSUMING: Final = (
    PlantedBug(
        name="handled-badly-taken-for-done",
        what="What all consumers share reports the messages that could not be read, and not those "
        "that could not be handled.",
        shows="A table or a topic is out for a moment: the queue deletes the messages, and what "
        "should have followed never does.",
        patches=(
            Patch(
                "ledger.consuming.batches",
                "                failed += [(part[at][0], code) for at, code in "
                "handled.failed.items()]\n",
                "",
            ),
        ),
        expected=("notifications_are_sent", "projections_are_the_fold", "payments_are_screened"),
    ),
    PlantedBug(
        name="first-of-a-pack",
        what="Of the events in a message the first is handled.",
        shows="Several payments are published in one pack: all but one are never followed.",
        patches=(
            Patch(
                "ledger.consuming.events",
                "        return events_in(open_envelope(body).detail)\n",
                "        return events_in(open_envelope(body).detail)[:1]\n",
            ),
        ),
        expected=("projections_are_the_fold", "payments_are_screened", "notifications_are_sent"),
        faults=Profile.NONE,
        commands=400,
    ),
    PlantedBug(
        name="pack-done-in-part",
        what="A message is taken for done if any event in it could be handled.",
        shows="A table is throttled for one account of a pack: that event never comes back.",
        patches=(
            Patch(
                "ledger.consuming.batches",
                "            back = [records[place] for place in sorted("
                "{place for place, _ in failed})]\n",
                "            well = Counter(place for place, _ in opened)\n"
                "            well.subtract(place for place, _ in failed)\n"
                "            back = [\n"
                "                records[place]\n"
                "                for place in sorted({place for place, _ in failed})\n"
                "                if well[place] <= 0\n"
                "            ]\n",
            ),
        ),
        expected=("projections_are_the_fold", "payments_are_screened", "notifications_are_sent"),
    ),
    PlantedBug(
        name="verdicts-partly-sent",
        what="Of a request with several messages of verdicts, those that the queue did not take "
        "are taken for sent.",
        shows="SQS refuses an entry of a batch: the payments in it never get their verdicts.",
        patches=(
            Patch(
                _SENDING,
                "        for at in range(len(messages)):\n            if str(at) not in taken:\n"
                "                yield at, codes.get(str(at), NO_RESULT)\n",
                "        assert taken or codes\n",
            ),
        ),
        expected=("payments_are_screened",),
    ),
    PlantedBug(
        name="verdict-under-new-id",
        what="A verdict that is sent again is sent under a new id.",
        shows="A message is delivered twice, or its first handling ended in a crash: the verdict "
        "takes effect twice.",
        patches=(
            Patch(
                _SENDING,
                "        self._queue_url = queue_url\n",
                "        self._queue_url = queue_url\n        self._requests = 0\n",
            ),
            Patch(
                _SENDING,
                '        """One request; the places of the messages that failed, '
                'with their codes."""\n',
                "        from msgspec.structs import replace\n"
                "        self._requests += 1\n"
                "        commands = [\n"
                '            replace(one, id=f"{one.id}.{self._requests}") for one in commands\n'
                "        ]\n",
            ),
            Patch(
                "ledger.contracts.commands.checking",
                "    elif command.id != screening_id(command.payment, command.model):\n",
                "    elif not command.id.startswith(\n"
                "        screening_id(command.payment, command.model)\n"
                "    ):\n",
            ),
        ),
        expected=("events_were_asked_for", "payments_are_screened", "events_are_foretold"),
    ),
    PlantedBug(
        name="lost-race-taken-for-won",
        what="The scorer takes a write that another worker was faster than for done.",
        shows="Two payments of an account are screened at a time: one of them is never remembered.",
        patches=(
            Patch(
                _FRAUD_STORE,
                "            if code_of(error) == CONDITION_FAILED:\n"
                "                return False\n",
                "            if code_of(error) == CONDITION_FAILED:\n                return True\n",
            ),
        ),
        expected=("scorer_remembers",),
    ),
    PlantedBug(
        name="notifications-partly-published",
        what="Of a request with several notifications, those that SNS did not take are taken for "
        "published.",
        shows="SNS refuses an entry of a batch: nobody is ever told.",
        patches=(
            Patch(
                "consumers.notifications.topic",
                "        for place in places:\n            if str(place) not in taken:\n"
                "                yield place, codes.get(str(place), NO_RESULT)\n",
                "        assert taken or codes\n",
            ),
        ),
        expected=("notifications_are_sent",),
    ),
    PlantedBug(
        name="alerts-first-only",
        what="Of the alerts that an event gives, the first is published.",
        shows="A payment takes two accounts past their thresholds: the second owner is not told.",
        patches=(
            Patch(
                "ledger.consuming.notifications",
                "            for alert in alerts_of(event)\n",
                "            for alert in list(alerts_of(event))[:1]\n",
            ),
        ),
        expected=("notifications_are_sent",),
        faults=Profile.NONE,
        commands=2_000,
    ),
    PlantedBug(
        name="deliveries-partly-queued",
        what="Of a request with several deliveries to webhooks, those that the queue did not take "
        "are taken for queued.",
        shows="SQS refuses an entry of a batch: that subscriber is never told.",
        patches=(
            Patch(
                "consumers.webhooks.fanout",
                '            failed.update({each.place: "not_sent" for each in refused})\n',
                "            assert len(refused) <= len(chunk)\n",
            ),
        ),
        expected=("webhooks_are_delivered",),
    ),
    PlantedBug(
        name="delivered-before-sent",
        what="A delivery to a webhook is marked as done before it is sent.",
        shows="The endpoint is down at the first attempt: the second finds the mark, and nothing "
        "is ever sent.",
        patches=(
            Patch(
                _ATTEMPTS,
                "        try:\n            status = self._endpoints.post(",
                "        self._delivered.add(delivery.message, subscriber.id, 200, self._clock())\n"
                "        try:\n            status = self._endpoints.post(",
            ),
        ),
        expected=("webhooks_are_delivered",),
    ),
    PlantedBug(
        name="delivered-to-one-delivered-to-all",
        what="A delivery to a webhook is known by its notification, whoever it goes to.",
        shows="Two subscribers want the same notification: the second is taken for served.",
        patches=(
            Patch(
                "consumers.webhooks.messages",
                "    named = json.dumps([subscriber, type, id]).encode()\n",
                "    named = json.dumps([type, id]).encode()\n",
            ),
        ),
        expected=("webhooks_are_delivered",),
        faults=Profile.NONE,
    ),
    PlantedBug(
        name="unreachable-endpoint-given-up",
        what="A delivery whose endpoint answered an error is not named as failed.",
        shows="The endpoint is down at the first attempt, which was the only one.",
        patches=(
            Patch(
                "consumers.webhooks.delivery",
                "        back.append((result.record, result.wait_seconds))\n",
                "        if not result.status:\n"
                "            back.append((result.record, result.wait_seconds))\n",
            ),
        ),
        expected=("webhooks_are_delivered",),
    ),
    PlantedBug(
        name="received-of-the-last-alone",
        what="Of what an account received within an hour the scorer remembers the last payment.",
        shows="Money that came in many small payments and leaves at once does not stand out.",
        patches=(
            Patch(
                "consumers.fraud.features",
                "hour: received.get(hour, 0) + movement.received_minor}\n",
                "hour: movement.received_minor}\n",
            ),
        ),
        expected=("scorer_remembers",),
        faults=Profile.NONE,
        commands=400,
    ),
    PlantedBug(
        name="alert-of-what-is-available",
        what="An alert tells the available balance, and not the posted one that crossed.",
        shows="Of an account with holds the owner is told an amount that is on no statement.",
        patches=(
            Patch(
                "ledger.contracts.notifications",
                "                balance_minor=entry.balance_minor,\n",
                "                balance_minor=entry.available_minor,\n",
            ),
        ),
        expected=("notifications_are_sent",),
        faults=Profile.NONE,
        commands=2_000,
    ),
    PlantedBug(
        name="alarm-for-nobody",
        what="A fraud alert does not say whose account it is about.",
        shows="Whoever is alarmed has to look for the payer first.",
        patches=(
            Patch(
                "consumers.fraud.alerting",
                "            alert = alert_of(event, account)\n",
                "            alert = alert_of(event, None)\n",
            ),
        ),
        expected=("notifications_are_sent",),
        faults=Profile.NONE,
    ),
)
