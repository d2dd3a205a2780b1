"""How cost and latency of a payment grow: measured where it fits a machine, modelled beyond."""
