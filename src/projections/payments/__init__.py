"""Every payment, what it is and where in its life it stands, one item each; listed by status."""
