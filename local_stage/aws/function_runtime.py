"""Run MiniStack's Python functions in execution environments of ours, as AWS Lambda runs them."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
import uuid
import zipfile
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local_stage.aws import function_logs, metrics
from local_stage.aws.function_code import CodeStore, search_path
from local_stage.aws.function_pool import FunctionPools
from local_stage.aws.function_sandbox import Invocation, Sandbox
from local_stage.aws.pinned import replace, require
from local_stage.aws.tracing import TraceStore

logger = logging.getLogger("local_stage.aws.functions")

# A Lambda function sees the platform's variables and its own, and nothing of the machine it happens to run on.
_INHERITED = ("PATH", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR")
_REAP_EVERY_S = 5.0
_SHAPES_AN_ENVIRONMENT = (
    "CodeSha256",
    "Handler",
    "Runtime",
    "MemorySize",
    "Environment",
    "Layers",
    "LoggingConfig",
    "Role",
)

require(lambda_runtime, "execution_credentials", "_account_region_from_function_config", "_RESERVED_RUNTIME_ENV_VARS")
require(lambda_svc, "_resolve_layer_zip", "_execute_function_with_config_scope", "_execute_function_warm")

_callers_trace: ContextVar[str | None] = ContextVar("callers_trace", default=None)
_emit_lambda_metrics = lambda_svc._emit_lambda_metrics


@dataclass(frozen=True, kw_only=True)
class FunctionRuntime:
    """The executor of all Python functions of the local AWS."""

    endpoint_url: str
    code: CodeStore
    pools: FunctionPools
    traces: TraceStore

    def install(self) -> None:
        """Take the place of MiniStack's own workers."""
        original = lambda_svc._execute_function_warm

        def execute(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
            config = func.get("config") or func
            if not str(config.get("Runtime", "")).startswith("python") or not func.get("code_zip"):
                answer: dict[str, Any] = original(func, event, request_id)
                return answer
            return self.execute(config, func["code_zip"], event, request_id)

        emit = lambda_svc._emit_lambda_logs

        def emit_logs(func: dict[str, Any], *arguments: Any, **options: Any) -> None:
            if not str((func.get("config") or func).get("Runtime", "")).startswith("python"):
                emit(func, *arguments, **options)

        replace(lambda_svc, "_execute_function_warm", execute)
        replace(lambda_svc, "_emit_lambda_logs", emit_logs)
        replace(lambda_svc, "invalidate_worker", self._retire)
        replace(lambda_runtime, "invalidate_worker", self._retire)
        _remember_callers_trace()
        _count_once()
        threading.Thread(target=self._reap, name="reap-idle-functions", daemon=True).start()

    def execute(self, config: dict[str, Any], archive: bytes, event: Any, request_id: str) -> dict[str, Any]:
        """Invoke a function and give MiniStack's result: `body`, `log`, and `error` when the function failed."""
        trace = self.traces.begin(config, _callers_trace.get())
        try:
            sandbox = self.pools.acquire(_key(config), _fingerprint(config), lambda: self._start(config, archive))
        except (OSError, RuntimeError, zipfile.BadZipFile) as error:
            logger.exception("Function %s cannot be started.", config["FunctionName"])
            message = {"errorType": "Runtime.StartError", "errorMessage": str(error)}
            return {"body": message, "log": str(error), "error": True}
        reusable = False
        try:
            outcome = sandbox.invoke(
                Invocation(
                    request_id=request_id,
                    function_arn=config.get("FunctionArn", ""),
                    event=event,
                    timeout_s=float(config.get("Timeout", 3)),
                    trace_header=trace.header,
                )
            )
            reusable = outcome.reusable
        finally:
            self.pools.release(sandbox, reusable=reusable)
        self.traces.end(trace, config, request_id, failed=outcome.failed)
        metrics.record_embedded_metrics(outcome.log)
        function_logs.write_invocation(
            config, stream=sandbox.log_stream, request_id=request_id, log=outcome.log, duration_ms=outcome.duration_ms
        )
        _emit_lambda_metrics(
            config["FunctionName"], duration_ms=outcome.duration_ms, error=outcome.failed, throttle=False
        )
        result: dict[str, Any] = {"body": outcome.payload, "log": outcome.log}
        if outcome.failed:
            result["error"] = True
        return result

    def _start(self, config: dict[str, Any], archive: bytes) -> Sandbox:
        code = self.code.unpack(archive)
        layers = []
        for layer in config.get("Layers") or []:
            content = lambda_svc._resolve_layer_zip(layer)
            if content:
                layers.append(self.code.unpack(content))
        return Sandbox(
            handler=config.get("Handler", "index.handler"),
            search_path=search_path(code, layers),
            directory=str(code),
            environment=self._environment(config, code),
        )

    def _environment(self, config: dict[str, Any], code: Path) -> dict[str, str]:
        """Build the process environment.

        Source: Lambda, "Working with Lambda environment variables", defined runtime environment variables.
        """
        _, region = lambda_runtime._account_region_from_function_config(config)
        version = config.get("Version", "$LATEST")
        own = (config.get("Environment") or {}).get("Variables") or {}
        return {
            **{name: os.environ[name] for name in _INHERITED if name in os.environ},
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PYTHONUTF8": "1",
            "TMPDIR": os.environ.get("TMPDIR", "/tmp"),  # noqa: S108 - the launcher sets it
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
            "AWS_XRAY_DAEMON_ADDRESS": self.traces.daemon_address,
            "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
            **{name: value for name, value in own.items() if name not in lambda_runtime._RESERVED_RUNTIME_ENV_VARS},
            **lambda_runtime.execution_credentials(config),
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{config.get('Runtime', '')}",
            "AWS_LAMBDA_FUNCTION_NAME": config["FunctionName"],
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.get("MemorySize", 128)),
            "AWS_LAMBDA_FUNCTION_VERSION": version,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": function_logs.group_of(config),
            "AWS_LAMBDA_LOG_STREAM_NAME": f"{datetime.now(UTC):%Y/%m/%d}/[{version}]{uuid.uuid4().hex}",
            "LAMBDA_TASK_ROOT": str(code),
            "_HANDLER": config.get("Handler", ""),
        }

    def _retire(
        self, name: str, qualifier: str | None = None, account: str | None = None, region: str | None = None
    ) -> None:
        def matches(key: str) -> bool:
            parts = key.split(":")
            wanted = (region, account, name, qualifier)
            return all(value is None or value == part for value, part in zip(wanted, parts, strict=True))

        self.pools.retire(matches)

    def _reap(self) -> None:
        while True:
            time.sleep(_REAP_EVERY_S)
            self.pools.reap()


def _remember_callers_trace() -> None:
    """Carry the X-Ray header of an Invoke request, which a function's SDK adds, to the invoked function."""
    original = lambda_svc._invoke

    async def invoke(name: str, event: Any, headers: dict[str, str], *arguments: Any, **options: Any) -> Any:
        token = _callers_trace.set(headers.get("x-amzn-trace-id"))
        try:
            return await original(name, event, headers, *arguments, **options)
        finally:
            _callers_trace.reset(token)

    replace(lambda_svc, "_invoke", invoke)


def _count_once() -> None:
    """Let MiniStack count throttles only: what runs is counted where it runs, whoever invoked it."""

    def emit(name: str, *, throttle: bool, **options: Any) -> None:
        if throttle:
            _emit_lambda_metrics(name, throttle=True, **options)

    replace(lambda_svc, "_emit_lambda_metrics", emit)


def _key(config: dict[str, Any]) -> str:
    account, region = lambda_runtime._account_region_from_function_config(config)
    return f"{region}:{account}:{config['FunctionName']}:{config.get('Version', '$LATEST')}"


def _fingerprint(config: dict[str, Any]) -> str:
    return json.dumps([config.get(name) for name in _SHAPES_AN_ENVIRONMENT], sort_keys=True, default=str)
