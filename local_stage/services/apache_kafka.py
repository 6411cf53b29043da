"""Starts Apache Kafka itself: its jars come from Maven Central once, its records are on disk and outlive restarts."""

import shutil
import subprocess
import tempfile
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local_stage.services.cache import cache_dir
from local_stage.services.errors import DidNotStart, MissingProgram, ServiceError
from local_stage.services.kafka import KafkaBroker, wait_for_cluster
from local_stage.services.ports import LOOPBACK, pick_free_port, start_on_free_port
from local_stage.services.process import ServerProcess

VERSION = "4.1.1"
_LOG4J_VERSION = "2.25.2"
_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_READY_TIMEOUT_S = 90.0

_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>gochat</groupId>
  <artifactId>local-kafka</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>{VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-slf4j-impl</artifactId>
      <version>{_LOG4J_VERSION}</version>
    </dependency>
  </dependencies>
</project>
"""

_LOGGING = """rootLogger.level = WARN
rootLogger.appenderRefs = out
rootLogger.appenderRef.out.ref = OUT
appender.out.type = Console
appender.out.name = OUT
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d %p %m (%c)%n
"""

# One node is broker and controller. The internal topics have one replica and few partitions, so that it starts fast;
# a short session lets a killed broker register again at once.
_PROPERTIES = """process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://{host}:{port}{more},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}{more}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
controller.quorum.voters=1@{host}:{controller_port}
log.dirs={data}
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=300
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""

_JVM = ("-Xms64m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true")


@dataclass(frozen=True, kw_only=True)
class Doors:
    """More ways in than the open one, which the broker itself uses."""

    ports: Mapping[str, int]
    """Of the listeners, by their names."""
    properties: Mapping[str, str]
    """What `server.properties` says of them besides."""
    passwords: Mapping[str, str]
    """Of the users who log in by SCRAM-SHA-512."""


_NO_MORE = Doors(ports={}, properties={}, passwords={})


def start_apache_kafka(directory: Path, doors: Doors = _NO_MORE) -> KafkaBroker:
    """Start Apache Kafka with its data in `directory`, which may hold data of an earlier run; wait until it answers.

    The first time on a machine Maven fetches 43 MB; a start takes about 5 s. Raises MissingProgram or DidNotStart.
    """
    java = _find("java", "a Java runtime, 17 or later (`apt-get install default-jre-headless`, `brew install openjdk`)")
    jars = _ensure_jars()
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "log4j2.properties").write_text(_LOGGING)
    command = [java, *_JVM, f"-Dlog4j2.configurationFile={directory / 'log4j2.properties'}", "-cp", f"{jars}/*"]
    return start_on_free_port(lambda port: _start(command, directory, port, doors))


def _start(command: list[str], directory: Path, port: int, doors: Doors) -> KafkaBroker:
    properties = directory / "server.properties"
    data = (directory / "data").resolve()
    more = "".join(f",{name}://{LOOPBACK}:{number}" for name, number in doors.ports.items())
    settled = _PROPERTIES.format(host=LOOPBACK, port=port, controller_port=pick_free_port(), data=data, more=more)
    properties.write_text(settled + "".join(f"{name}={value}\n" for name, value in doors.properties.items()))
    identity = _ensure_formatted(command, directory, properties, doors.passwords)
    process = ServerProcess("Kafka", [*command, "kafka.Kafka", str(properties)], directory)

    def wait_ready() -> None:
        wait_for_cluster(process, port, identity, timeout_s=_READY_TIMEOUT_S)

    process.start()
    wait_ready()
    return KafkaBroker(host=LOOPBACK, port=port, process=process, durable=True, wait_ready=wait_ready)


def _ensure_formatted(command: list[str], directory: Path, properties: Path, passwords: Mapping[str, str]) -> str:
    """Prepare the data directory once; return the cluster's id, 128 bits in base64 as Kafka wants it."""
    named = directory / "cluster-id"
    if named.exists():
        return named.read_text()
    identity = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    shutil.rmtree(directory / "data", ignore_errors=True)
    scram = [f"--add-scram=SCRAM-SHA-512=[name={name},password={secret}]" for name, secret in passwords.items()]
    _run([*command, "kafka.tools.StorageTool", "format", f"--cluster-id={identity}", f"--config={properties}", *scram])
    named.write_text(identity)
    return identity


def _ensure_jars() -> Path:
    """Return the directory of Kafka's jars, from the cache if they were fetched before."""
    jars = cache_dir() / "apache-kafka" / VERSION
    if jars.is_dir():
        return jars
    maven = _find("mvn", "Maven, which fetches Apache Kafka (`apt-get install maven`, `brew install maven`)")
    jars.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=jars.parent, prefix="fetching-") as scratch:
        pom = Path(scratch) / "pom.xml"
        pom.write_text(_POM)
        fetched = Path(scratch) / "jars"
        _run([maven, "-q", "-B", "-f", str(pom), _PLUGIN, "-DincludeScope=runtime", f"-DoutputDirectory={fetched}"])
        # Two starts may race: a rename is atomic, and the loser uses the winner's.
        try:
            fetched.rename(jars)
        except OSError:
            if not jars.is_dir():
                raise
    return jars


def _find(program: str, what: str) -> str:
    found = shutil.which(program)
    if not found:
        raise MissingProgram(f"--kafka apache needs {what}; or use --kafka tansu, which needs nothing.")
    return found


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        output = (done.stdout + done.stderr)[-3000:]
        error = ServiceError if command[0].endswith("mvn") else DidNotStart
        raise error(f"`{Path(command[0]).name}` failed while preparing Apache Kafka {VERSION}:\n{output}")
