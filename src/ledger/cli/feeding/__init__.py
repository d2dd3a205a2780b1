"""Sending a whole source: through which entry point each instruction goes, and how fast."""
