"""The local Lambda runner: makes a SAM template run on a laptop.

As a library::

    stack = template.load(Path("template.yaml"), parameters, Places())
    with Runner(stack, platform, logs=Path("logs")) as runner:
        result = runner.invoke("ApiFunction", event)
"""

from local.lambdas.runner import Result, Runner
from local.lambdas.stack import Places, Stack
from local.lambdas.template import load

__all__ = ["Places", "Result", "Runner", "Stack", "load"]
