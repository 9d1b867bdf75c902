"""Scores responses with reasoning-gym's own scorers.

Reads rows {"entry", "response"} as JSON lines on standard input; writes one number a row. The answer is
what reasoning-gym's `extract_answer` finds, and the whole response where it finds none.
"""

import json
import signal
import sys

from reasoning_gym import get_score_answer_fn
from reasoning_gym.utils import extract_answer

scorers = {}


def too_long(signum, frame):
    raise TimeoutError


signal.signal(signal.SIGALRM, too_long)

for line in sys.stdin:
    row = json.loads(line)
    entry = row["entry"]
    task = entry["metadata"]["source_dataset"]
    if task not in scorers:
        scorers[task] = get_score_answer_fn(task)
    answer = extract_answer(row["response"])
    signal.alarm(5)
    try:
        score = float(scorers[task](row["response"] if answer is None else answer, entry))
    except BaseException:
        score = 0.0
    signal.alarm(0)
    print(score)
