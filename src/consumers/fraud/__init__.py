"""The fraud scorer: every payment, posted or held, gets a verdict, by what its payer usually does.

`features` is what is remembered of an account, `measures` what a payment looks like beside it,
`scorer` and `rules` what is made of that; all pure and in integers. `screening` puts a batch of
events through them and `alerting` acts on what the ledger recorded of it.
"""
