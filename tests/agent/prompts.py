"""What the engine of a test is told to do: programs for ``fake_engine``."""

from tests.agent.conftest import PYTHON

HANG = """
subprocess.Popen([{python!r}, "-c", "import time; time.sleep(1000)", {marker!r}],
                 start_new_session=True)
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open("started", "w").close()
say("working")
time.sleep(1000)
"""


def hanging(marker: str) -> str:
    """It and a child in a session of its own never end; SIGTERM changes nothing."""
    return HANG.format(python=PYTHON, marker=marker)


# Defines ask(), which returns the status of a model call and what the answer says.
ASK = """
import urllib.request, urllib.error
given = json.loads(os.environ["KILO_CONFIG_CONTENT"])["provider"]["local"]["options"]
def ask(text="Hello", most=1000):
    message = {"role": "user", "content": text}
    body = {"model": "scripted", "messages": [message], "max_tokens": most}
    request = urllib.request.Request(
        given["baseURL"] + "/chat/completions", data=json.dumps(body).encode(),
        headers={"Authorization": "Bearer " + given["apiKey"]})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)["choices"][0]["message"]["content"]
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)["error"]["code"]
"""
