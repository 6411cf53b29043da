"""The steps from nothing to a serving stage."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from local_stage.services.errors import ServiceError
from local_stage.services.ports import LOOPBACK, is_port_free, pick_free_port
from local_stage.services.process import LOG_NAME, ServerProcess
from local_stage.services.stack import Services, start_services
from local_stage.supervisor import cloud, health
from local_stage.supervisor.function_logs import FunctionLogs
from local_stage.supervisor.options import Options
from local_stage.supervisor.state import StateFile
from local_stage.supervisor.steps import CommandFailed, Step, StepContext

DATABASE = "gochat"
_READY_TIMEOUT_S = 60.0
_SERVING_TIMEOUT_S = 60.0
_LINES_NOTED = 20

IN_MEMORY = (
    "The embedded Kafka keeps its records in memory: a restart of the broker loses what was not yet consumed. "
    "Use --kafka apache, or a cluster of your own, where that matters."
)


def mappings_status(home: Path) -> Path:
    """Give the file in which the pollers tell how the event source mappings are."""
    return home / "run" / "mappings" / "status.json"


class Stage:
    """Start the parts of one stage, and stop them; the state file is told of each."""

    def __init__(self, options: Options, state: StateFile) -> None:
        self._options = options
        self._state = state
        self._synthesis: Path | None = None
        self._port = options.http_port or pick_free_port()
        self.services: Services | None = None
        self.programs: dict[str, ServerProcess] = {}

    @property
    def aws_url(self) -> str:
        """Where the local AWS listens."""
        return f"http://{LOOPBACK}:{self._port}"

    @property
    def _mappings_status(self) -> Path:
        return mappings_status(self._options.home)

    def steps(self) -> list[Step]:
        """List the steps; what they don't need of each other runs in parallel."""
        return [
            Step(name="services", title="Starting MySQL, Redis and Kafka", run=self._start_services),
            Step(name="synth", title="Synthesizing the CDK app", run=self._synthesize),
            Step(name="aws", title="Starting the local AWS", run=self._start_aws, after=("services",)),
            Step(name="bootstrap", title="Bootstrapping the CDK", run=self._bootstrap, after=("aws",)),
            Step(name="deploy", title="Deploying with the CDK", run=self._deploy, after=("bootstrap", "synth")),
            Step(name="mappings", title="Starting the Kafka pollers", run=self._start_mappings, after=("aws",)),
            Step(name="web", title="Serving the web page", run=self._start_web, after=("deploy",)),
            Step(
                name="health",
                title="Waiting until the stage serves",
                run=self._wait_until_serving,
                advice="The lines above are the last that the functions have logged.",
                after=("deploy", "mappings", "web"),
            ),
        ]

    def stop(self) -> None:
        """Stop what runs, the consumers first, so that nothing works on stores that are gone."""
        for name in ("web", "mappings", "aws"):
            if program := self.programs.pop(name, None):
                program.stop()
        if self.services is not None:
            self.services.stop()
            self.services = None

    def questions(self) -> list[Callable[[], str]]:
        """Give what to ask the stage to know whether it serves."""
        state = self._state.state
        http_url, web_url = state.http_url, state.web_url
        assert http_url is not None
        assert web_url is not None
        return [
            lambda: health.ask_http(http_url),
            lambda: health.ask_web(web_url),
            *(partial(health.ask_websocket, url) for url in state.gateways.values()),
            lambda: health.ask_mappings(self._mappings_status),
        ]

    def dead_programs(self) -> list[str]:
        """Name the programs that ended by themselves."""
        return [name for name, program in self.programs.items() if program.pid is None]

    def record_pids(self) -> None:
        """Tell the state file which processes run now."""
        pids = {name: program.pid for name, program in self.programs.items()}
        if self.services is not None:
            pids |= {name: getattr(self.services, name).pid for name in ("mysql", "redis", "kafka")}
        running = {name: pid for name, pid in pids.items() if pid is not None}
        if running != self._state.state.pids:
            self._state.update(pids=running)

    def _start_services(self, context: StepContext) -> None:
        options = self._options
        context.note(f"Their logs lie in {options.run / 'services'}")
        self.services = start_services(
            options.run / "services", mysql=options.mysql, redis=options.redis, kafka=options.kafka
        )
        addresses = {
            "mysql": f"mysql://{self.services.mysql.user}@{self.services.mysql.address}/{DATABASE}",
            "redis": f"redis://{self.services.redis.address}",
            "kafka": self.services.kafka.address,
        }
        notes = () if self.services.kafka.durable else (IN_MEMORY,)
        self._state.update(services=addresses, notes=notes)
        self.record_pids()

    def _synthesize(self, context: StepContext) -> None:
        self._options.syntheses.mkdir(parents=True, exist_ok=True)
        self._synthesis = cloud.synthesize(context, self._options)

    def _start_aws(self, context: StepContext) -> None:
        if self._options.http_port and not is_port_free(self._options.http_port):
            raise ServiceError(f"Port {self._options.http_port} is taken: choose another --http-port.")
        assert self.services is not None
        command = [str(self._options.stage_python), "-m", "local_stage.aws", f"--port={self._port}"]
        command += [f"--state-dir={self._options.run / 'aws'}", f"--kafka-bootstrap={self.services.kafka.address}"]
        log = self._options.run / "aws" / LOG_NAME
        self._start_program("aws", command, context, is_ready=lambda: _says_ready(log))
        self._state.update(aws_url=self.aws_url)

    def _bootstrap(self, context: StepContext) -> None:
        cloud.bootstrap(context, self._options, self.aws_url)

    def _deploy(self, context: StepContext) -> None:
        assert self.services is not None
        assert self._synthesis is not None
        parameters = cloud.parameters_for(self._state.state.services, self.aws_url)
        outputs = cloud.deploy(
            context, self._options, synthesis=self._synthesis, aws_url=self.aws_url, parameters=parameters
        )
        self._state.update(
            http_url=outputs["HttpUrl"].rstrip("/"),
            websocket_url=outputs["WebSocketUrl"],
            gateways=cloud.gateways_of(outputs),
        )

    def _start_mappings(self, context: StepContext) -> None:
        status = self._mappings_status
        status.parent.mkdir(parents=True, exist_ok=True)
        python = str(self._options.root / ".venv" / "bin" / "python")
        command = [python, "-m", "local_stage.mappings", f"--endpoint-url={self.aws_url}", f"--status-file={status}"]
        self._start_program("mappings", command, context, is_ready=status.is_file)

    def _start_web(self, context: StepContext) -> None:
        state = self._state.state
        port = pick_free_port()
        command = [str(self._options.root / ".venv" / "bin" / "python"), "-m", "local_stage.web", f"--port={port}"]
        command += [f"--root={self._options.root / 'web'}", f"--api-url={state.http_url}"]
        command += [f"--websocket-url={url}" for url in state.gateways.values()]
        log = self._options.run / "web" / LOG_NAME
        self._start_program("web", command, context, is_ready=lambda: _says_ready(log))
        self._state.update(web_url=f"http://{LOOPBACK}:{port}")

    def _start_program(
        self, name: str, command: list[str], context: StepContext, *, is_ready: Callable[[], bool]
    ) -> None:
        """Start one of our own programs and wait until it is ready."""
        environment = {
            **cloud.local_environment(self.aws_url),
            "PYTHONPATH": str(self._options.root),
            "PYTHONUNBUFFERED": "1",
        }
        program = ServerProcess(name, command, self._options.run / name, environment=environment)
        context.note(f"Its log is {program.log_path}")
        program.start()
        self.programs[name] = program
        self.record_pids()
        program.wait_until(is_ready, timeout_s=_READY_TIMEOUT_S)

    def _wait_until_serving(self, context: StepContext) -> None:
        cancelled = context.cancelled

        def hopeless() -> bool:
            return cancelled.is_set() or bool(self.dead_programs())

        try:
            health.wait_until_serving(self.questions(), timeout_s=_SERVING_TIMEOUT_S, give_up=hopeless)
        except health.NotServing as fault:
            self._note_last_log_lines(context)
            if dead := self.dead_programs():
                raise CommandFailed(f"{', '.join(dead)} ended by itself") from fault
            raise

    def _note_last_log_lines(self, context: StepContext) -> None:
        """Copy the end of the functions' logs into the step's: they are gone once the stage is stopped."""
        if "aws" in self.dead_programs():
            return
        logs = FunctionLogs(self.aws_url)
        for line in logs.lines(logs.functions())[-_LINES_NOTED:]:
            context.note(f"{line.function}  {line.text}")


def _says_ready(log: Path) -> bool:
    return log.is_file() and any(line.startswith("ready") for line in log.read_text(errors="replace").splitlines())
