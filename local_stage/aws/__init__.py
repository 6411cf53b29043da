"""Be a local AWS on 127.0.0.1: MiniStack with AWS's rules enforced where it is laxer.

**Start** (in an environment of its own, so that a missing layer dependency shows):

    UV_PROJECT_ENVIRONMENT=.gochat/stage-venv uv sync --frozen --only-group stage
    .gochat/stage-venv/bin/python -m local_stage.aws --port 4566 --state-dir .gochat/aws [--kafka-bootstrap HOST:PORT]

It prints `ready http://127.0.0.1:4566` when it serves (`GET /_ministack/ready` answers 200), keeps all state in memory
but unpacked code and objects, and ends with SIGTERM or SIGINT, taking every function process with it.

**Clients** (boto3, aws, cdk) need:

    AWS_ENDPOINT_URL=http://127.0.0.1:4566
    AWS_ENDPOINT_URL_S3=http://127.0.0.1:4566
    AWS_ACCESS_KEY_ID=000000000000          # twelve digits are the account
    AWS_SECRET_ACCESS_KEY=local
    AWS_REGION=us-east-1                    # and AWS_DEFAULT_REGION; whatever --region says
    AWS_DISABLE_HOST_PREFIX_INJECTION=true  # else discover_instances calls a `data-` host
    CDK_DISABLE_CLI_TELEMETRY=true          # for cdk; also `--no-notices --no-version-reporting`
    CDK_DEFAULT_ACCOUNT=000000000000  CDK_DEFAULT_REGION=us-east-1

**Functions** get AWS_ENDPOINT_URL, AWS_DISABLE_HOST_PREFIX_INJECTION, AWS_XRAY_DAEMON_ADDRESS, credentials, region and
Lambda's own variables from the launcher, and nothing of its environment; a function's own variables win. Between
invocations their processes are frozen, as on AWS (`--no-freeze-idle-functions` lets them run on).

**URLs** of an API whose id is `1a2b3c4d` (the tag `ms-custom-id` of eight hex digits pins it):

    http_url       http://127.0.0.1:4566/_aws/execute-api/1a2b3c4d            + path, with the stage `$default`
    websocket_url  ws://127.0.0.1:4566/_aws/execute-api/1a2b3c4d/{stage}
    @connections   http://127.0.0.1:4566/_aws/execute-api/1a2b3c4d/{stage}    endpoint_url of apigatewaymanagementapi

The rules and their limits: `websocket_wire` (frames), `websocket_connection` (cuts), `websocket_gateway` (handshake),
`websocket_routes` (routes, mocks), `connections_api`, `http_gateway`, `function_sandbox` and `function_pool` (Lambda),
`event_source_fields` (Kafka mappings, which a poller elsewhere serves), `tracing` (X-Ray), `metrics` (EMF).
"""
