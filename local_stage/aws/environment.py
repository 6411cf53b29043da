"""Set the environment that MiniStack reads when it is imported."""

from __future__ import annotations

import os
from pathlib import Path

from local_stage.aws.options import HOST, Options


def prepare(options: Options) -> None:
    """Set MiniStack's variables for this stage; must run before the first import of ministack."""
    scratch = options.state_dir / "tmp"
    for directory in (scratch, options.state_dir / "state", options.state_dir / "s3"):
        directory.mkdir(parents=True, exist_ok=True)
    os.environ.update(_variables(options, scratch))
    # A developer's own AWS settings must not reach the emulator or its functions.
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "AUTH", "PERSIST_STATE", "SERVICES"):
        os.environ.pop(name, None)


def _variables(options: Options, scratch: Path) -> dict[str, str]:
    return {
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(options.port),
        "TMPDIR": str(scratch),
        "STATE_DIR": str(options.state_dir / "state"),
        "S3_DATA_DIR": str(options.state_dir / "s3"),
        "MINISTACK_REGION": options.region,
        "MINISTACK_ACCOUNT_ID": options.account,
        "MINISTACK_MSK_BOOTSTRAP": options.kafka_bootstrap,
        "AWS_REGION": options.region,
        "AWS_DEFAULT_REGION": options.region,
        "AWS_ACCESS_KEY_ID": options.account,
        "AWS_SECRET_ACCESS_KEY": "local",
        # AWS's default quota; how many processes run at once is bounded by --processes-a-function.
        "LAMBDA_ACCOUNT_CONCURRENCY": "1000",
        "LAMBDA_EXECUTOR": "local",
        "LOG_LEVEL": options.log_level,
        # Listeners and look-ups that this project has no use for.
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "DOCKER_HOST": f"unix://{scratch}/no-docker.sock",
    }
