"""workers.py: threads that ask charon what would hold up the main loop."""
import queue
import threading
from typing import List, NamedTuple

import vici
from log import printable
from waits import SLOW_SECONDS

STARTERS = 4  # how many SAs are started or ended at a time; charon has 16 threads


class Job(NamedTuple):
    """Questions that charon may think about for long."""

    tunnel: str
    command: str
    requests: List[vici.Message]


class Answer(NamedTuple):
    job: Job
    problem: str  # empty: all are answered


def refusal(answer: vici.Message) -> str:
    complaint = vici.text(answer, 'errmsg')
    if vici.text(answer, 'success') == 'yes' or complaint.startswith('no matching SAs'):
        return ''
    return printable(complaint) or 'charon refused'


class Workers:
    """Threads that ask charon what would hold up the main loop."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.jobs: 'queue.Queue[Job]' = queue.Queue()
        self.answers: 'queue.Queue[Answer]' = queue.Queue()
        for _ in range(STARTERS):
            threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            job = self.jobs.get()
            problem = ''
            try:
                client = vici.Client(self.path, SLOW_SECONDS)
                try:
                    for request in job.requests:
                        problem = refusal(client.request(job.command, request)) or problem
                finally:
                    client.close()
            except vici.Error as error:
                problem = str(error)
            except Exception as error:  # the thread has to live
                problem = type(error).__name__
            self.answers.put(Answer(job, problem))
