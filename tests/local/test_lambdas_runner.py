import threading
from pathlib import Path

import pytest

from local.lambdas.runner import TooLargeError
from tests.local.emulated import until
from tests.local.lambdas_support import function, running

ECHO = """
    import os
    def handler(event, context):
        return {"pid": os.getpid(), "event": event}
"""


def test_an_instance_is_reused(tmp_path: Path) -> None:
    """The first invocation is cold, the next one warm in the same process."""
    with running(tmp_path, {"F": function(tmp_path, "f", ECHO)}) as runner:
        first, second = (runner.invoke("F", {"n": n}) for n in (1, 2))
        assert (first.cold, second.cold) == (True, False)
        assert first.init_ms > 0 == second.init_ms
        assert second.payload == {"pid": first.payload["pid"], "event": {"n": 2}}
        assert runner.instances() == {"F": (1, 0)}


def test_concurrent_invocations_have_instances_of_their_own(tmp_path: Path) -> None:
    """Two invocations that wait for each other both finish, so they ran at once."""
    meet = """
        import pathlib, time, os
        def handler(event, context):
            pathlib.Path(event["mine"]).touch()
            while not pathlib.Path(event["other"]).exists():
                time.sleep(0.005)
            return os.getpid()
    """
    a, b = str(tmp_path / "a"), str(tmp_path / "b")
    with running(tmp_path, {"F": function(tmp_path, "f", meet)}) as runner:
        results = []
        threads = [
            threading.Thread(target=lambda e=event: results.append(runner.invoke("F", e)))
            for event in ({"mine": a, "other": b}, {"mine": b, "other": a})
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [result.error for result in results] == [None, None]
        assert len({result.payload for result in results}) == 2


def test_the_cap_makes_invocations_wait(tmp_path: Path) -> None:
    """With one instance allowed, many callers share one process."""
    with running(tmp_path, {"F": function(tmp_path, "f", ECHO)}, concurrency=1) as runner:
        pids = []
        threads = [
            threading.Thread(target=lambda: pids.append(runner.invoke("F", {}).payload["pid"]))
            for _ in range(5)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(pids) == 5
        assert len(set(pids)) == 1


def test_a_function_sees_only_its_own_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The template's and the platform's variables are there; the runner's own are not."""
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    source = "import os\ndef handler(event, context): return dict(os.environ)"
    resources = {
        "F": function(tmp_path, "f", source, Environment={"Variables": {"TABLE": "t"}}),
        "G": function(tmp_path, "g", source, Environment={"Variables": {"OTHER": "o"}}),
    }
    with running(tmp_path, resources, {"AWS_ENDPOINT_URL": "http://127.0.0.1:5"}) as runner:
        seen = runner.invoke("F", {}).payload
    assert seen["TABLE"] == "t"
    assert seen["AWS_ENDPOINT_URL"] == "http://127.0.0.1:5"
    assert seen["AWS_LAMBDA_FUNCTION_NAME"] == "F"
    assert seen["AWS_REGION"] == "us-east-1"
    assert seen["LAMBDA_TASK_ROOT"] == str(tmp_path / "functions/f")
    assert not {"OTHER", "GITHUB_TOKEN", "PYTHONDONTWRITEBYTECODE", "HOME"} & seen.keys()


def test_the_context_is_lambdas(tmp_path: Path) -> None:
    """Request id, ARN, remaining time and trace reach the handler; layers can be imported."""
    source = """
        import os
        import shared
        def handler(event, context):
            return {
                "id": context.aws_request_id,
                "arn": context.invoked_function_arn,
                "remaining": context.get_remaining_time_in_millis(),
                "trace": os.environ["_X_AMZN_TRACE_ID"],
                "layer": shared.NAME,
            }
    """
    layer = tmp_path / "layers" / "common"
    layer.mkdir(parents=True)
    (layer / "shared.py").write_text("NAME = 'common'")
    resources = {
        "Common": {
            "Type": "AWS::Serverless::LayerVersion",
            "Properties": {"ContentUri": "layers/common"},
        },
        "F": function(tmp_path, "f", source, Timeout=9, Layers=[{"Ref": "Common"}]),
    }
    with running(tmp_path, resources) as runner:
        seen = runner.invoke("F", {}, request_id="abc", trace="Root=1-2-3").payload
    assert seen["id"] == "abc"
    assert seen["arn"] == "arn:aws:lambda:us-east-1:123456789012:function:F"
    assert 0 < seen["remaining"] <= 9000
    assert seen["trace"] == "Root=1-2-3"
    assert seen["layer"] == "common"


def test_an_edit_takes_effect_on_the_next_invocation(tmp_path: Path) -> None:
    """Changed code of a function or its layer is run without a restart; equal code is not."""
    layer = tmp_path / "layer"
    layer.mkdir()
    (layer / "shared.py").write_text("VALUE = 'layer'")
    resources = {
        "L": {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": "layer"}},
        "F": function(
            tmp_path,
            "f",
            "import shared\ndef handler(event, context): return ['code', shared.VALUE]",
            Layers=[{"Ref": "L"}],
        ),
    }
    code = tmp_path / "functions/f/app.py"
    with running(tmp_path, resources) as runner:
        assert runner.invoke("F", {}).payload == ["code", "layer"]
        code.write_text(code.read_text().replace("'code'", "'code, edited'"))
        assert runner.invoke("F", {}).payload == ["code, edited", "layer"]
        (layer / "shared.py").write_text("VALUE = 'layer, edited'")
        assert runner.invoke("F", {}).payload == ["code, edited", "layer, edited"]
        assert not runner.invoke("F", {}).cold
        assert runner.instances() == {"F": (1, 0)}


def test_output_goes_to_the_functions_log(tmp_path: Path) -> None:
    """What a function prints and logs is in logs/<logical id>.log, with Lambda's report."""
    source = """
        import logging
        def handler(event, context):
            print("printed")
            logging.warning("logged")
    """
    with running(tmp_path, {"F": function(tmp_path, "f", source)}) as runner:
        runner.invoke("F", {}, request_id="abc")
    log = (tmp_path / "logs/F.log").read_text()
    assert "printed\n" in log
    assert "[WARNING]" in log
    assert "REPORT RequestId: abc Duration:" in log


def test_an_idle_instance_is_ended(tmp_path: Path) -> None:
    """An instance that nobody used for the idle time is ended."""
    resources = {"F": function(tmp_path, "f", ECHO)}
    with running(tmp_path, resources, idle_seconds=0.01) as runner:
        runner.invoke("F", {})
        assert until(lambda: runner.instances() == {"F": (0, 0)})


def test_an_event_above_the_limit_is_refused(tmp_path: Path) -> None:
    """More than 6 MB of event reach no function."""
    with running(tmp_path, {"F": function(tmp_path, "f", ECHO)}) as runner:
        with pytest.raises(TooLargeError):
            runner.invoke("F", "x" * (6 * 1024 * 1024))
        assert runner.invoke("F", "x" * 3_000_000).payload["event"] == "x" * 3_000_000


def test_an_unknown_function_is_an_error(tmp_path: Path) -> None:
    """Invoking what the template lacks raises KeyError."""
    with running(tmp_path, {"F": function(tmp_path, "f", ECHO)}) as runner, pytest.raises(KeyError):
        runner.invoke("Nobody", {})
