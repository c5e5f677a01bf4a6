import time, tempfile
from pathlib import Path
from tests.support.world import started
def test_x():
    """x"""
    with started(Path(tempfile.mkdtemp()), Path("/tmp/modelcache")) as w:
        for _ in range(5):
            t=time.monotonic(); r=w.tick("ReapFunction"); print(r, time.monotonic()-t)
        w.sqs
        t=time.monotonic(); w.sqs; print("sqs client", time.monotonic()-t)
        t=time.monotonic(); w.drain("FeedbackQueue"); print("drain", time.monotonic()-t)
    assert 0
