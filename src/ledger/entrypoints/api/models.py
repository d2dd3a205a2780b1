"""The commands as the REST edge reads them: pydantic, so that every fault is found at once.

They mean what the Structs of `ledger.contracts.commands` mean, which the queue path reads with
msgspec: the same bodies are accepted, as equal commands, and a single fault has the same reason and
field. A property (`tests/properties/test_one_meaning.py`) holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    model_validator,
)
from pydantic_core import PydanticCustomError

from ledger.contracts import reasons
from ledger.contracts.commands import (
    Alert,
    OpenAccount,
    Posting,
    PostPayment,
    SetAlerts,
    reasons_against_text,
)
from ledger.contracts.currencies import MINOR_DIGITS
from ledger.contracts.primitives import (
    ALERTS_MAX,
    AMOUNT_MINOR_MAX,
    DESCRIPTION_LENGTH_MAX,
    POSTINGS_MAX,
    REFERENCE_LENGTH_MAX,
    AccountType,
    canonical_instant,
    is_id,
)
from ledger.contracts.reasons import Reason


def fault(reason: Reason) -> PydanticCustomError:
    """The validation error that stands for `reason`, whatever field it is met at."""
    return PydanticCustomError("ledger", "{reason}", {"reason": reason.code})


def _holds(predicate: Callable[[str], bool]) -> AfterValidator:
    def validate(text: str) -> str:
        if not predicate(text):
            raise ValueError  # the field says for what reason
        return text

    return AfterValidator(validate)


def _plain_text(text: str) -> str:
    for reason in reasons_against_text(text):
        raise fault(reason)
    return text


def _not_above_the_opening_balance(limit: int) -> int:
    if limit > 0:
        raise fault(reasons.INVALID_LIMITS)
    return limit


def _not_below_the_opening_balance(limit: int) -> int:
    if limit < 0:
        raise fault(reasons.INVALID_LIMITS)
    return limit


IdText = Annotated[StrictStr, _holds(is_id)]
CurrencyText = Annotated[StrictStr, _holds(MINOR_DIGITS.__contains__)]
Amount = Annotated[StrictInt, Field(ge=1, le=AMOUNT_MINOR_MAX)]
Limit = Annotated[StrictInt, Field(ge=-AMOUNT_MINOR_MAX, le=AMOUNT_MINOR_MAX)]
Lowest = Annotated[Limit, AfterValidator(_not_above_the_opening_balance)]
Highest = Annotated[Limit, AfterValidator(_not_below_the_opening_balance)]
Instant = Annotated[StrictStr, AfterValidator(canonical_instant)]
Reference = Annotated[
    StrictStr, Field(min_length=1, max_length=REFERENCE_LENGTH_MAX), AfterValidator(_plain_text)
]
Description = Annotated[
    StrictStr, Field(min_length=1, max_length=DESCRIPTION_LENGTH_MAX), AfterValidator(_plain_text)
]


# Values are hidden in errors: no value of a client's may reach a log. Not a base class, which would
# be one more model to build at every cold start.
_CLOSED: Final = ConfigDict(extra="forbid", hide_input_in_errors=True)


class PostingModel(BaseModel):
    """One movement of a payment."""

    model_config = _CLOSED

    source: IdText
    destination: IdText
    amount_minor: Amount
    currency: CurrencyText

    @model_validator(mode="after")
    def _between_two_accounts(self) -> PostingModel:
        if self.source == self.destination:
            raise fault(reasons.SAME_ACCOUNT)
        return self


class OpenAccountModel(BaseModel):
    """`account.open`, version 1."""

    model_config = _CLOSED

    type: Literal["account.open"]
    v: Literal[1]
    id: IdText
    account: IdText
    currency: CurrencyText
    account_type: AccountType
    min_balance_minor: Lowest | None = None
    max_balance_minor: Highest | None = None
    effective_at: Instant = ""

    def command(self) -> OpenAccount:
        """The command, with the fields left out left out."""
        return OpenAccount(**{name: getattr(self, name) for name in _given(self)})


class PostPaymentModel(BaseModel):
    """`payment.post`, version 1."""

    model_config = _CLOSED

    type: Literal["payment.post"]
    v: Literal[1]
    id: IdText
    postings: Annotated[list[PostingModel], Field(min_length=1, max_length=POSTINGS_MAX)]
    effective_at: Instant = ""
    reference: Reference = ""
    description: Description = ""

    def command(self) -> PostPayment:
        """The command, with the fields left out left out."""
        fields = {name: getattr(self, name) for name in _given(self)}
        fields["postings"] = tuple(Posting(**dict(posting)) for posting in self.postings)
        return PostPayment(**fields)


class AlertModel(BaseModel):
    """One alert of an account."""

    model_config = _CLOSED

    direction: Literal["below", "above"]
    threshold_minor: Limit


class SetAlertsModel(BaseModel):
    """`account.set_alerts`, version 1."""

    model_config = _CLOSED

    type: Literal["account.set_alerts"]
    v: Literal[1]
    id: IdText
    account: IdText
    alerts: Annotated[list[AlertModel], Field(max_length=ALERTS_MAX)]

    def command(self) -> SetAlerts:
        """The command."""
        alerts = tuple(Alert(**dict(alert)) for alert in self.alerts)
        return SetAlerts(v=self.v, id=self.id, account=self.account, alerts=alerts)


CommandModel = OpenAccountModel | SetAlertsModel | PostPaymentModel
MODELS: Final[dict[str, type[CommandModel]]] = {
    "account.open": OpenAccountModel,
    "account.set_alerts": SetAlertsModel,
    "payment.post": PostPaymentModel,
}


def _given(model: CommandModel) -> frozenset[str]:
    """The fields that the client gave, without the type, which the command's class says."""
    return frozenset(model.model_fields_set) - {"type"}
