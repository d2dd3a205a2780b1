"""Payments made up from a seed: the default input, realistic, and with a known outcome."""

from ledger.importers.generated.source import PAYMENTS_DEFAULT, SEED_DEFAULT, generate

__all__ = ["PAYMENTS_DEFAULT", "SEED_DEFAULT", "generate"]
