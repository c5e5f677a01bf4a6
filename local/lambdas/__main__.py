"""Run a SAM template on this machine: its HTTP API, queues, schedules and events."""

import argparse
import json
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local.lambdas import control, http_api, provision, schedules
from local.lambdas.asynchronous import Asynchronous
from local.lambdas.clients import Clients
from local.lambdas.doors import serve
from local.lambdas.intrinsics import NotSupportedError
from local.lambdas.pollers import Poller
from local.lambdas.runner import Runner
from local.lambdas.stack import Places, Stack
from local.lambdas.template import load
from local.serve import end_with_parent

HTTP_THREADS = 64  # requests that wait for a function at the same time
ASYNC_THREADS = 16
SWITCH_SECONDS = 0.001  # how long a poller's thread may keep a request's from running


def main() -> None:
    options = arguments()
    if os.environ.get("SOULCASTER_PARENT"):
        end_with_parent()
    sys.setswitchinterval(SWITCH_SECONDS)
    # A person's own AWS profile must not reach the emulators.
    os.environ |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    os.environ.pop("AWS_PROFILE", None)

    platform: dict[str, str] = json.loads(options.platform_env.read_text())
    clients = Clients(platform)
    places = Places(f"http://127.0.0.1:{options.api_port}", clients.endpoint("SQS"))
    try:
        stack = load(options.template, json.loads(options.parameters.read_text()), places)
    except NotSupportedError as error:
        sys.exit(f"{options.template}: {error}")
    make(stack, clients, options.state / "secrets.json")

    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with Runner(stack, platform, options.logs) as runner:
        start(runner, clients, options, stopped)
        print("ready", flush=True)
        stopped.wait()
    os._exit(0)  # long polls need not be waited for


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.lambdas", description=__doc__)
    parser.add_argument("--template", type=Path, required=True)
    parser.add_argument("--parameters", type=Path, required=True, help="JSON: name to value")
    parser.add_argument(
        "--platform-env", type=Path, required=True, help="JSON: variables that every function gets"
    )
    parser.add_argument("--api-port", type=int, required=True)
    parser.add_argument("--control-port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True, help="folder of secrets.json")
    parser.add_argument("--logs", type=Path, required=True, help="folder of <Function>.log")
    parser.add_argument("--no-schedules", action="store_true")
    return parser.parse_args()


def make(stack: Stack, clients: Clients, secrets_file: Path) -> None:
    """Create what the functions expect to find."""
    if stack.queues:
        provision.queues(stack, clients.sqs())
    for bucket in stack.buckets:
        provision.bucket(bucket, clients.s3())
    if stack.secrets:
        values = provision.secret_values(stack.secrets, secrets_file)
        for secret in stack.secrets:
            provision.secret(secret, values.get(secret.id), clients.secrets_manager())


def start(
    runner: Runner, clients: Clients, options: argparse.Namespace, stopped: threading.Event
) -> None:
    """Open the doors and begin to poll; returns when requests are taken."""
    stack, sqs = runner.stack, clients.sqs()
    urls = {queue.arn: queue.url for queue in stack.queues.values()}

    def send(arn: str, text: str) -> None:
        sqs.send_message(QueueUrl=urls[arn], MessageBody=text)

    asynchronous = Asynchronous(runner, ThreadPoolExecutor(ASYNC_THREADS), send)
    executor = ThreadPoolExecutor(HTTP_THREADS)
    serve(http_api.app(runner, executor), options.api_port)
    serve(control.app(runner, asynchronous, executor), options.control_port)
    for mapping in stack.sqs_mappings:
        Poller(mapping, runner, sqs).start()
    if stack.schedules and not options.no_schedules:
        due = schedules.Schedules(stack.schedules)
        threading.Thread(
            target=schedules.run,
            args=(due, stack.places, asynchronous.invoke, stopped),
            daemon=True,
        ).start()


if __name__ == "__main__":
    main()
