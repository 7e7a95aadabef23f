"""A cluster of three nats-servers as llum configures it, and what one that is killed costs."""

import json
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bus.connection import Bus
from bus.jetstream import JetStream
from bus.nats_process import find_binary
from bus.subjects import is_own_stream, log_stream_of, partition_of
from schemas.errors import Transient
from tests.deploy import certificates
from tests.deploy.cluster import SERVERS, Cluster
from tests.end_to_end.external import PARTITIONS, kill
from tests.end_to_end.test_supervisor import assert_one_clear_line
from tests.system.harness import until, with_login
from tests.system.plain_http import PlainHttp, tell_body
from tests.waiting import DEADLINE_S, eventually

Make = Callable[..., Cluster]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Make clusters that end with the test."""
    made: list[Cluster] = []

    def one(**settings: Any) -> Cluster:
        made.append(Cluster(tmp_path / "llum", **settings))
        return made[-1]

    yield one
    for each in made:
        each.clean_up()


@asynccontextmanager
async def operator(cluster: Cluster) -> AsyncIterator[JetStream]:
    bus = await Bus.connect(with_login(cluster.url, cluster.data_dir / "credentials.json"), name="test")
    try:
        yield JetStream(bus)
    finally:
        await bus.close()


async def replicas_of(jetstream: JetStream) -> dict[str, int]:
    """Give the replicas of each stream that hold all of it; 0 of one that has no leader now."""
    found = {}
    for name in filter(is_own_stream, await jetstream.streams(">")):
        servers = (await jetstream.call(f"STREAM.INFO.{name}"))["cluster"]
        others = [one for one in servers.get("replicas") or [] if one["current"] and not one.get("offline")]
        found[name] = (1 + len(others)) if servers.get("leader") else 0
    return found


async def all_have(jetstream: JetStream, count: int) -> None:
    """Wait until that many servers hold all of each stream."""

    async def look() -> bool:
        try:
            return set((await replicas_of(jetstream)).values()) == {count}
        except Transient:
            return False

    await eventually(look, f"each stream has {count} whole replicas")


@pytest.mark.parametrize("with_tls", [False, True], ids=["plain", "tls"])
def test_nats_server_accepts_what_is_printed_for_each(make: Make, tmp_path: Path, with_tls: bool) -> None:
    """`nats-server -t` reads the whole file, as at a start. All have the same password for routes."""
    cluster = make(tls=certificates.write(tmp_path).options if with_tls else ())
    texts = []
    for place in cluster.places:
        file = cluster.configuration_of(place)
        tried = subprocess.run([find_binary(), "-t", "-c", str(file)], capture_output=True, text=True, check=False)
        assert tried.returncode == 0, tried.stderr
        texts.append(file.read_text())
    password = json.loads((cluster.data_dir / "credentials.json").read_bytes())["routes"]
    assert all(text.count(password) == 1 + SERVERS for text in texts)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--cluster-name", "llum"], "needs a name of its own and routes"),
        (["--route", "nats://other:6222"], "no cluster"),
        (["--tls-cert", "cert.pem"], "TLS needs a certificate and its key"),
        (
            ["--cluster-name=a", "--server-name=b", "--route=nats://c:6222", "--tls-cert=d", "--tls-key=e"],
            "look at each other's certificates",
        ),
    ],
)
def test_options_that_do_not_go_together_are_refused(make: Make, options: list[str], why: str) -> None:
    """One line says what is missing; no credentials are made."""
    cluster = make()
    assert_one_clear_line(cluster.cli("nats-config", *options, check=False), why, "--")
    assert not (cluster.data_dir / "credentials.json").exists()


@pytest.mark.long
async def test_a_killed_nats_server_and_a_killed_worker_cost_no_command(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over TLS: the server that leads the log of a person is killed, comes back, a worker is killed, a server leaves.

    Tells and asks of that person go on. Each tell is repeated with its id until somebody says what became of it, and
    counts once.
    """
    files = certificates.write(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(files.authority))
    cluster = make(scheme="tls", tls=files.options)
    cluster.start_servers()
    made = json.loads(cluster.cli("admin", "install", "--json").stdout)
    assert made["replicas"] == SERVERS
    first, _ = (cluster.start_worker(name) for name in ("one", "two"))
    cluster.start_edge()
    cluster.cli("admin", "person", "add", "alice")
    http = PlainHttp(cluster.http, token_of(cluster))
    tell(http, "first")
    cluster.cli("status", "--check")

    async with operator(cluster) as jetstream:
        await all_have(jetstream, SERVERS)
        log = log_stream_of(partition_of("alice", PARTITIONS), made["installation"]["log_streams"])
        leader = (await jetstream.call(f"STREAM.INFO.{log}"))["cluster"]["leader"]
    kill(cluster.servers[leader])
    for value in ("second", "third"):
        tell(http, value)
    assert told(http) == ["first", "second", "third"]

    cluster.start_server(leader, cluster.folder / f"{leader}.conf")
    async with operator(cluster) as jetstream:
        await all_have(jetstream, SERVERS)
    kill(first)
    tell(http, "fourth")

    leaving = cluster.servers[leader]
    leaving.send_signal(signal.SIGUSR2)
    tell(http, "fifth")
    until(lambda: leaving.poll() is not None, "the server has left")
    tell(http, "sixth")
    assert told(http) == ["first", "second", "third", "fourth", "fifth", "sixth"]
    http.close()


@pytest.mark.long
async def test_streams_get_another_number_of_replicas(make: Make) -> None:
    """As when one server has become a cluster. Without the option nothing changes, nor does it when a worker starts."""
    cluster = make()
    cluster.start_servers()
    cluster.cli("admin", "install", "--stream-replicas", "1")
    cluster.start_process("worker")
    assert json.loads(cluster.cli("admin", "install", "--json").stdout)["changed"] == []
    async with operator(cluster) as jetstream:
        await all_have(jetstream, 1)
        changed = json.loads(cluster.cli("admin", "install", "--stream-replicas", "3", "--json").stdout)["changed"]
        assert {"LLUM_LOG_0", "KV_LLUM_INSTALLATION", "LLUM_SCHEDULES"} <= set(changed)
        await all_have(jetstream, SERVERS)
    ended = cluster.cli("admin", "install", "--stream-replicas", "5", check=False)
    assert_one_clear_line(ended, "does not keep 5 replicas", "--stream-replicas")


async def test_each_server_is_looked_at_before_llum_is_installed(make: Make) -> None:
    """One that is configured otherwise is named, and nothing is made; one that does not answer is named, too."""
    cluster = make()
    files = {place.name: cluster.configuration_of(place) for place in cluster.places}
    for name, file in files.items():
        cluster.start_server(name, file)
    await all_know_each_other(cluster)
    address = f"nats://127.0.0.1:{cluster.places[2].port}"
    stop(cluster.servers["nats-3"])
    wrong = files["nats-3"]
    wrong.write_text(wrong.read_text().replace("partition(4,1)", "partition(8,1)"))
    cluster.start_server("nats-3", wrong)
    assert_one_clear_line(cluster.cli("admin", "install", check=False), address, "mappings to 8 partitions")
    stop(cluster.servers["nats-3"])
    made = json.loads(cluster.cli("admin", "install", "--stream-replicas", "1", "--json").stdout)
    assert made["silent"] == [address]


async def all_know_each_other(cluster: Cluster) -> None:
    """Wait until a stream can have three replicas: until then two servers do not know that they are two of three."""

    async def look() -> bool:
        try:
            await jetstream.call(
                "STREAM.CREATE.trial", {"name": "trial", "subjects": ["trial"], "num_replicas": SERVERS}
            )
        except Transient:
            return False
        return True

    async with operator(cluster) as jetstream:
        await eventually(look, "the cluster has three servers")
        await jetstream.call("STREAM.DELETE.trial")


def stop(server: subprocess.Popen[bytes]) -> None:
    """End a server in order. One that is killed counts as there for a while, and may be chosen to keep a stream."""
    server.terminate()
    server.wait(DEADLINE_S)


def token_of(cluster: Cluster) -> str:
    cluster.cli("admin", "app", "add", "alice", "lamp")
    cluster.cli("admin", "app", "permit", "alice", "lamp", "Personal", "--ask", "--tell")
    return str(json.loads(cluster.cli("admin", "token", "make", "alice", "--app", "lamp", "--json").stdout)["token"])


def tell(http: PlainHttp, value: str) -> None:
    """Tell until it is known what became of it."""
    status, answer = http.call_until_known("tell", tell_body(["Personal"], "firstname", value), f"id-{value}")
    assert status == 200, answer


def told(http: PlainHttp) -> list[str]:
    """Ask for all values that were told, in their order."""
    body = {"modelname": "-", "context": ["Personal"], "view": ["firstname"], "resolver": {"evidence_filter": "all"}}
    status, answer = http.call_until_known("ask", body, "")
    assert status == 200, answer
    return [piece["value"] for piece in answer["val"][0]["evidencelist"]]
