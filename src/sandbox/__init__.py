"""The embedded stack: the synthesised CDK app, deployed to an AWS emulator on this machine.

`sandbox.stack.running_stack` is the way in: it synthesises the app, starts the emulator on
127.0.0.1, deploys the very templates that `cdk deploy` ships, yields where to reach them, and ends
everything when the block is left, however this process ends. What the emulator cannot create is
left out by one declared list (`sandbox.unsupported`), never by a second template.

    stack       the whole of it, as one context manager
    synthesis   the CDK app, turned into a cloud assembly
    assembly    a cloud assembly, read: stacks in order, assets
    template    a template without what is left out
    workspace   the directory one emulator lives in, and what an earlier one left there
    engine      the emulator's process, up and healthy, or an error that says why not
    keeper      the script that ends the emulator with us
    certificate the TLS certificate of an emulator that enforces IAM
    deploy      assets published, stacks created, outputs read
    logs        what the functions printed
    rehearsal   a deployment by the CDK's own command line, compared with ours
    endpoint    how to talk to the emulator, and to the stack in it

It runs the ledger from outside, as AWS does, and imports nothing of it. State lives in memory only:
a start is always empty.
"""
