"""What the simulators have in common: a thread that repeats one step until it is stopped."""

from __future__ import annotations

import threading
import time
from abc import abstractmethod
from contextlib import ExitStack

from rehearsal.run import Run
from rehearsal.servers.api import Api, ApiError
from rehearsal.servers.process import ServerError
from rehearsal.servers.startable import Startable

_PERIOD_SECONDS = 0.3


class Simulator(Startable):
    """Stands in for a controller that cannot run here: has its effect on the API, and no other.

    A refused request is logged and tried again in the next round, as a controller would.
    """

    name = "simulator"

    def __init__(self, *, run: Run, api: Api) -> None:
        self._log = run.log(self.name)
        self._api = api
        self._stopped = threading.Event()

    @abstractmethod
    def step(self) -> None:
        """Bring the objects that the controller owns one step further."""

    def note(self, line: str) -> None:
        """Write a line to the simulator's log."""
        with self._log.open("a") as log:
            log.write(f"{time.strftime('%H:%M:%S')} {line}\n")

    def _start(self, stack: ExitStack) -> None:
        self._stopped.clear()
        thread = threading.Thread(target=self._repeat, name=self.name, daemon=True)
        thread.start()
        # The last step may be waiting for an API server that no longer answers: requests time out after 30 s.
        stack.callback(thread.join, 35)
        stack.callback(self._stopped.set)

    def _repeat(self) -> None:
        while not self._stopped.wait(_PERIOD_SECONDS):
            try:
                self.step()
            except ApiError as error:
                self.note(f"will try again: {error}")
            except ServerError as error:
                self.note(str(error))
                return
