"""Keeps one poller a mapping: lists the mappings again and again, and starts and stops pollers to match."""

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from local_stage.mappings.aws import AwsFailure, LocalAws
from local_stage.mappings.config import BadMapping, MappingConfig, parse_mapping
from local_stage.mappings.poller import Poller, PollerSettings
from local_stage.mappings.status import MappingStatus, StatusFile

_LOG = logging.getLogger("local_stage.mappings")
_LIVE_STATES = ("Enabled", "Enabling", "Creating", "Updating")


class Supervisor:
    """Run pollers for all Kafka mappings of an endpoint until told to stop."""

    def __init__(
        self,
        aws: LocalAws,
        settings: PollerSettings,
        *,
        from_lowest: bool,
        status_file: StatusFile,
        interval_s: float = 1.0,
    ) -> None:
        self._aws = aws
        self._settings = settings
        self._from_lowest = from_lowest
        self._status_file = status_file
        self._interval_s = interval_s
        self._pollers: dict[str, Poller] = {}
        self._ending: list[Poller] = []
        self._invalid: dict[str, MappingStatus] = {}
        self.endpoint_error: str | None = None

    def run(self, stopping: threading.Event, *, grace_s: float) -> None:
        """Work until `stopping`; then give running invocations `grace_s` to finish, and abandon the others."""
        while not stopping.is_set():
            self.follow()
            stopping.wait(self._interval_s)
        for poller in self._pollers.values():
            poller.stop()
        deadline = time.monotonic() + grace_s
        for poller in [*self._pollers.values(), *self._ending]:
            if not poller.join(max(0.0, deadline - time.monotonic())):
                poller.close_commits(1.0)
                _LOG.warning("abandoned a batch of %s: it was not committed and comes again", poller.config.topic)
        self._write_status()

    def follow(self) -> None:
        """List the mappings once and bring the pollers in line; an endpoint that does not answer changes nothing."""
        try:
            wanted = self._configs(self._aws.list_mappings())
        except AwsFailure as failure:
            self.endpoint_error = f"{type(failure).__name__}: {failure}"
        else:
            self.endpoint_error = None
            self._match(wanted)
        self._write_status()

    def _configs(self, listed: list[Mapping[str, Any]]) -> dict[str, MappingConfig]:
        wanted: dict[str, MappingConfig] = {}
        self._invalid.clear()
        for raw in listed:
            if not raw.get("Topics") or raw.get("State") not in _LIVE_STATES:
                continue
            try:
                config = parse_mapping(raw, from_lowest=self._from_lowest)
                if not config.bootstrap and config.event_source_arn:
                    config = replace(config, bootstrap=self._aws.bootstrap_of(config.event_source_arn))
            except (BadMapping, *AwsFailure) as reason:
                self._invalid[raw["UUID"]] = _invalid_status(raw, str(reason))
            else:
                wanted[config.uuid] = config
        return wanted

    def _match(self, wanted: dict[str, MappingConfig]) -> None:
        for uuid in list(self._pollers):
            if self._pollers[uuid].config != wanted.get(uuid):
                poller = self._pollers.pop(uuid)
                _LOG.info("stop %s -> %s", poller.config.topic, poller.config.function_arn)
                poller.stop()
                self._ending.append(poller)
        self._ending = [poller for poller in self._ending if not poller.join(0)]
        # A changed mapping waits for its old poller's last invocation: a partition is at the function once at a time.
        still_ending = {poller.config.uuid for poller in self._ending}
        for uuid, config in wanted.items():
            if uuid not in self._pollers and uuid not in still_ending:
                _LOG.info("start %s -> %s", config.topic, config.function_arn)
                if config.ignored:
                    _LOG.warning("%s: not in provisioned mode, so ignored: %s", config.topic, ", ".join(config.ignored))
                self._pollers[uuid] = Poller(config, self._aws, self._settings)
                self._pollers[uuid].start()

    def statuses(self) -> list[MappingStatus]:
        """Return what each mapping did, those that end and those that Lambda would refuse included."""
        pollers = [*self._pollers.values(), *self._ending]
        return [poller.status for poller in pollers] + list(self._invalid.values())

    def _write_status(self) -> None:
        self._status_file.write(self.statuses(), endpoint_error=self.endpoint_error)


def _invalid_status(raw: Mapping[str, Any], reason: str) -> MappingStatus:
    status = MappingStatus(
        uuid=raw["UUID"],
        function=str(raw.get("FunctionArn", "")),
        topic=",".join(raw.get("Topics") or []),
        group="",
        state="Invalid",
    )
    status.last_error = reason
    return status
