"""Where clients connect: the cells of the registry, best first, or the deployment's first cell without a registry."""

from collections.abc import Callable
from dataclasses import dataclass

from gochat_aws.registry.choose import best_first, choose
from gochat_aws.registry.instances import GATEWAY, GATEWAY_LOAD, Instance


@dataclass(frozen=True, kw_only=True)
class Gateways:
    """The cells as the registry knows them."""

    instances: Callable[[str], tuple[Instance, ...]]
    """Discovery: the instances of a service, cheap to ask."""
    fallback: Instance
    """The deployment's first cell: what is told while the registry tells nothing."""

    def list(self) -> list[Instance]:
        """Return the cells for a client that is to connect, best first; never none."""
        cells = self.instances(GATEWAY)
        loads = {one.instance_id: one.connections for one in self.instances(GATEWAY_LOAD)} if len(cells) > 1 else {}
        return best_first(cells, loads) or [self.fallback]

    def pick_url(self) -> str:
        """Return the URL that one login is told, so that logins spread over the cells by their weights."""
        chosen = choose(self.instances(GATEWAY), is_ejected=lambda _: False) or self.fallback
        return chosen.endpoint
