"""The URLs under which clients and functions reach an API, on AWS and on the local AWS."""

from dataclasses import dataclass

from aws_cdk import Aws, CfnParameter, Stack, Tags
from constructs import IConstruct

from cdk_app.settings import Domains

_LOCAL_PATH = "_aws/execute-api"


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Writes URLs; `local` is the host and port of the local AWS, None on AWS."""

    local: str | None
    domains: Domains | None = None

    def http(self, api_id: str) -> str:
        """Give the base URL of an HTTP API with the stage $default, without a slash at the end."""
        if self.local:
            return f"http://{self.local}/{_LOCAL_PATH}/{api_id}"
        return f"https://{self.domains.http if self.domains else self._host(api_id)}"

    def websocket(self, api_id: str, stage_name: str, cell_id: str) -> str:
        """Give the URL that clients of a WebSocket API open."""
        if self.local:
            return f"ws://{self.local}/{_LOCAL_PATH}/{api_id}/{stage_name}"
        if self.domains:
            return f"wss://{self.domains.websocket}/{cell_id}"
        return f"wss://{self._host(api_id)}/{stage_name}"

    def connections(self, api_id: str, stage_name: str) -> str:
        """Give the base URL of the @connections commands of a WebSocket API's stage: always under its own name."""
        if self.local:
            return f"http://{self.local}/{_LOCAL_PATH}/{api_id}/{stage_name}"
        return f"https://{self._host(api_id)}/{stage_name}"

    def _host(self, api_id: str) -> str:
        return f"{api_id}.execute-api.{Aws.REGION}.{Aws.URL_SUFFIX}"


def declare_addresses(stack: Stack, *, on_emulator: bool, domains: Domains | None = None) -> Addresses:
    """Return the addresses of a stack's APIs; the local AWS's own comes as a parameter, because its port changes."""
    if not on_emulator:
        return Addresses(local=None, domains=domains)
    parameter = CfnParameter(stack, "LocalAddress", type="String", description="Host and port of the local AWS")
    return Addresses(local=parameter.value_as_string)


def pin_api_id(api: IConstruct, api_id: str) -> None:
    """Ask the local AWS for an API id, eight hex digits, so that URLs outlive a restart; AWS would only see a tag."""
    Tags.of(api).add("ms-custom-id", api_id, include_resource_types=["AWS::ApiGatewayV2::Api"])
