"""Imported once by the process that instances are forked from, so that each starts at once.

It holds what a cold start would import; no handler has run, so no edge has been made.
"""

import gc
import importlib
import sys
from pathlib import Path
from typing import Any

import boto3

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = [ROOT / "layers/common", *sorted((ROOT / "functions").iterdir())]
# Imported by the edges only when they are first used.
LATE = ("google.genai.types", "httpx2", "jwt", "praw", "mangum", "upstash_vector")
# What a fork imports again because the tests' own process did.
OURS = ("pytest", "tests.support.instance")
SERVICES = ("sqs", "s3", "ecs", "secretsmanager")

sys.path[:0] = [str(folder) for folder in FOLDERS if str(folder) not in sys.path]
for file in sorted((ROOT / "functions").glob("*/*.py")):
    importlib.import_module(file.stem)
for edge in sorted((ROOT / "layers/common/soulcaster/edges").glob("*.py")):
    importlib.import_module(f"soulcaster.edges.{edge.stem}")
for module in (*LATE, *OURS):
    importlib.import_module(module)
# The descriptions of the services are large, and kept by the session once they are read.
boto3.setup_default_session()
make: Any = boto3.client
for service in SERVICES:
    make(service, region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")
# A fork's garbage collector would touch, and so copy, every page.
gc.collect()
gc.freeze()
