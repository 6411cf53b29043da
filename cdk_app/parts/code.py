"""The code assets of a stack: its layers and function packages, each bundled and declared once."""

from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_

from cdk_app import bundling

RUNTIME = lambda_.Runtime.PYTHON_3_13
ARCHITECTURE = lambda_.Architecture.ARM_64


class CodeLibrary:
    """Gives out a stack's layers and code.

    Layers are declared in every stack that uses them, over the same assets: a layer version's ARN changes with its
    content, and an ARN that one stack exports to another can't change while it is in use.
    """

    def __init__(self, stack: Stack, bundler: bundling.Bundler) -> None:
        self._stack = stack
        self._bundler = bundler
        self._layers: dict[str, lambda_.LayerVersion] = {}
        self._codes: dict[str, lambda_.Code] = {}

    def layer(self, name: str) -> lambda_.LayerVersion:
        """Return the layer of this name."""
        if name not in self._layers:
            self._layers[name] = lambda_.LayerVersion(
                self._stack,
                f"{name.capitalize()}Layer",
                layer_version_name=f"{self._stack.stack_name}-{name}",
                code=self._asset(self._bundler.layer(name)),
                compatible_runtimes=[RUNTIME],
                compatible_architectures=[ARCHITECTURE],
            )
        return self._layers[name]

    def function(self, package: str) -> lambda_.Code:
        """Return the code of a package under functions/."""
        if package not in self._codes:
            self._codes[package] = self._asset(self._bundler.function(package))
        return self._codes[package]

    def custom_resources(self) -> lambda_.Code:
        """Return the code of the custom resources."""
        if bundling.RESOURCES not in self._codes:
            self._codes[bundling.RESOURCES] = self._asset(self._bundler.custom_resources())
        return self._codes[bundling.RESOURCES]

    def _asset(self, bundle: bundling.Bundle) -> lambda_.Code:
        return lambda_.Code.from_asset(str(bundle.path), asset_hash=asset_hash(bundle))


def asset_hash(bundle: bundling.Bundle) -> str:
    """Name the asset by the bundle's own hash, over all its inputs: CDK need not read 50 MB of wheels again."""
    return f"{bundle.path.parent.parent.name}-{bundle.path.parent.name}-{bundle.path.name}"
