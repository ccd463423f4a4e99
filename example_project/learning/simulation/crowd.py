import heapq
import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator

from ..demo.courses import right_answers
from ..demo.learners import LEARNERS
from .browser import Browser, Refused, ServerDown
from .visits import Person, visit

GUESTS = 6
STEPS_OF_A_VISIT = (
    9  # about; what comes of a visit is one finished quiz, sometimes an enrolment besides
)
RETRY = 2.0  # seconds
OVER = object()


class Crowd:
    """Keeps visits going in one thread: whoever has thought long enough takes the next step."""

    def __init__(self, base_url: str, rng: random.Random, complain: Callable[[str], object]):
        self.rng = rng
        self.complain = complain
        self.answers = right_answers()
        everybody = [*LEARNERS, *[None] * GUESTS]
        self.idle = [
            Person(Browser(base_url), learner, rng.uniform(0.5, 0.97)) for learner in everybody
        ]

    def run(self, stop: threading.Event, *, pace: float, at_once: int, patience: float) -> None:
        """Until `stop` is set. `ServerDown` when nobody has answered for `patience` seconds."""
        at_once = min(at_once, len(self.idle))
        think = pace * at_once / STEPS_OF_A_VISIT
        order = itertools.count()  # so that entries of the heap never compare persons
        now = time.monotonic()
        due = [
            (now + think * number / at_once, next(order), *self._arrive())
            for number in range(at_once)
        ]
        answered = now
        while True:
            when, _, person, steps = heapq.heappop(due)
            if stop.wait(max(0.0, when - time.monotonic())):
                return
            try:
                over = next(steps, OVER) is OVER
                answered = time.monotonic()
            except Refused as error:  # their session is over, or a page is not what they expect
                self.complain(f"A simulated learner gave up: {error}")
                over = True
            except ServerDown:
                over = True
                if time.monotonic() - answered > patience:
                    raise
                if stop.wait(RETRY):
                    return
            if over:
                self.idle.append(person)
                person, steps = self._arrive()
            pause = think * self.rng.uniform(0.4, 1.6)
            heapq.heappush(due, (time.monotonic() + pause, next(order), person, steps))

    def _arrive(self) -> tuple[Person, Iterator[None]]:
        person = self.idle.pop(self.rng.randrange(len(self.idle)))
        return person, visit(person, self.rng, self.answers)
