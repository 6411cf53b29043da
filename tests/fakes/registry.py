"""A registry's clock, and a Cloud Map that answers what a test tells it."""

from gochat_aws.json_api import RefusedError
from gochat_aws.registry.cloud_map import Found
from gochat_aws.registry.instances import Instance
from gochat_core.errors import Unavailable


class Stopwatch:
    """Tells seconds, and moves when it is told to, or when somebody pauses."""

    def __init__(self, now_s: float = 1_000.0) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s

    def pause(self, for_s: float) -> None:
        """Let time pass instead of waiting."""
        self.now_s += for_s


class ScriptedDirectory:
    """Cloud Map's discovery as a test wants it; counts what it is asked."""

    def __init__(self, *instances: Instance) -> None:
        self.instances = instances
        self.malformed: tuple[str, ...] = ()
        self.version = 1
        self.fault: Unavailable | RefusedError | None = None
        self.discovered = 0
        self.revisions = 0

    def set(self, *instances: Instance, moves_revision: bool = True) -> None:
        """Change who is registered; health alone does not move the revision."""
        self.instances = instances
        self.version += int(moves_revision)

    def discover(self, service: str) -> Found:
        self.discovered += 1
        if self.fault:
            raise self.fault
        return Found(instances=self.instances, malformed=self.malformed, revision=self.version)

    def revision(self, service: str) -> int | None:
        self.revisions += 1
        if self.fault:
            raise self.fault
        return self.version
