"""What mini-swe-agent is told: its task, its model, its words, and no limits of its own."""

import json
import re
from pathlib import Path

from soulcaster_agent.job import Model

# The budget is the proxy's and the deadline the supervisor's; this ends a command that hangs.
COMMAND_SECONDS = 300
SUBMIT = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"

SYSTEM = "You are a careful software engineer who works in a shell."
TASK = f"""\
{{{{task}}}}

Work with the bash tool: every answer calls it at least once. Each command runs in a new `sh` in
the working directory, has {COMMAND_SECONDS} seconds and gets no input.
When you are done, or when there is nothing to do, call it once more with exactly
`{SUBMIT}`
and say in the same answer what people are to read at the end.

Working directory: {{{{cwd}}}}
"""
OBSERVATION = """\
{% if output.exception_info %}{{output.exception_info}}
{% endif %}Exit status: {{output.returncode}}
{% if output.output | length > 12000 -%}
{{output.output[:6000]}}
… ({{output.output | length - 12000}} characters left out) …
{{output.output[-6000:]}}
{%- else -%}
{{output.output}}
{%- endif %}"""
FORMAT_ERROR = f"""\
{{{{error}}}}
Call the bash tool with one argument, `command`. To end, call it with exactly `{SUBMIT}`.
{{% if finish_reason == "length" %}}Your answer was cut off as it was too long.{{% endif %}}"""


def settings(workdir: Path, prompt: str, model: Model) -> str:
    """Return the content of its settings file, in ASCII.

    Nothing limits what it spends or how many steps it takes: others do.
    """
    return to_yaml(
        {
            "run": {"task": prompt},
            "agent": {
                "system_template": SYSTEM,
                "instance_template": TASK,
                "mode": "yolo",  # asks nobody before a command
                "confirm_exit": False,
                "step_limit": 0,
                "cost_limit": 0,
            },
            "environment": {
                "environment_class": "local",
                "cwd": str(workdir),
                "timeout": COMMAND_SECONDS,
                "env": {"COLUMNS": "80", "PAGER": "cat", "GIT_PAGER": "cat"},
            },
            "model": {
                "model_class": "litellm",
                "model_name": f"openai/{model.name}",
                "cost_tracking": "ignore_errors",
                "set_cache_control": None,  # would follow from some models' names
                "observation_template": OBSERVATION,
                "format_error_template": FORMAT_ERROR,
                "model_kwargs": {
                    "api_base": model.base_url,
                    "api_key": model.api_key,
                    "drop_params": True,
                    "max_retries": 0,  # the engine repeats a call itself
                },
            },
        }
    )


def to_yaml(value: object) -> str:
    """Return JSON that is YAML as well: YAML takes neither control characters nor JSON's pairs
    of escapes for what lies beyond 16 bits.
    """
    text = json.dumps(value, ensure_ascii=False)
    return re.sub("[^ -~]", lambda found: f"\\U{ord(found[0]):08x}", text)
