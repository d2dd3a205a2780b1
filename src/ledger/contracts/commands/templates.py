"""Templates: stored, versioned sets of postings, to be posted by name."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from ledger.contracts.commands.base import BaseCommand
from ledger.contracts.primitives import POSTINGS_MAX, Description, TemplateName
from ledger.contracts.templates import (
    TEMPLATE_PARAMETERS_MAX,
    TemplateParameter,
    TemplatePosting,
)


class DefineTemplate(BaseCommand, frozen=True, kw_only=True, tag="template.define"):
    """Make the next version of a template, the first if there is none. Versions never change."""

    template: TemplateName
    parameters: Annotated[tuple[TemplateParameter, ...], Meta(max_length=TEMPLATE_PARAMETERS_MAX)]
    postings: Annotated[tuple[TemplatePosting, ...], Meta(min_length=1, max_length=POSTINGS_MAX)]
    description: Description | UnsetType = UNSET
