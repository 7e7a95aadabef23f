"""All settings. They are read in `llum.settings_loading`, and nowhere else.

Adding a setting means adding a field to `Settings`: its option, environment variable, TOML key, `llum config` line
and page in the reference all follow from the field's annotation.
"""

import os
import types
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec

from bus.addresses import with_hidden_logins
from bus.subjects import ASKED_KEPT_DAYS, ASKED_KEPT_MESSAGES, DEFAULT_PARTITIONS, MAX_PARTITIONS
from llum.settings_file import CONFIG_VARIABLE
from schemas.limits import APP_CONNECTIONS, APP_SUBSCRIPTIONS, LEAST_WEIGHT, MAX_PAYLOAD_BYTES
from schemas.time_zones import UTC, ZONE_PATTERN


def _setting(description: str, expected: str, **constraints: Any) -> msgspec.Meta:
    return msgspec.Meta(description=description, extra={"expected": expected}, **constraints)


_PORT = "a port number from 0 to 65535 (0: any free one)"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be set. A field `http_port` is `--http-port`, `LLUM_HTTP_PORT` and `http_port = …`."""

    data_dir: Annotated[Path, _setting("Folder in which llum keeps everything.", "a folder's path")] = Path(".llum")
    http_host: Annotated[
        str, _setting("Address that the HTTP edge listens on.", "a host name or address", min_length=1)
    ] = "127.0.0.1"
    http_port: Annotated[int, _setting("Port of the HTTP edge; 0: any free one.", _PORT, ge=0, le=65535)] = 8080
    public_url: (
        Annotated[
            str,
            _setting(
                "Address at which browsers and apps reach the HTTP edge. Default: where it listens.",
                "an address such as https://llum.example.org",
                pattern=r"^https?://[^\s/]+(/\S*)?$",
            ),
        ]
        | None
    ) = None
    proxies: Annotated[
        str,
        _setting(
            "Proxies in front of the HTTP edge. Only what they say in `X-Forwarded-For` is believed.",
            "addresses or networks with commas between them, such as 127.0.0.1, 10.0.0.0/24",
            pattern=r"^[0-9A-Fa-f:./, ]*$",
        ),
    ] = ""
    sign_up: Annotated[
        Literal["auto", "open", "invited", "closed"],
        _setting(
            "Who may make an account. auto: open while only this machine can reach llum, else by invitation.",
            "auto, open, invited or closed",
        ),
    ] = "auto"
    tls_certificate: (
        Annotated[
            Path,
            _setting(
                "File with the certificate of the HTTP edge and its chain (PEM). Default: it speaks without TLS.",
                "a file's path",
            ),
        ]
        | None
    ) = None
    tls_key: (
        Annotated[
            Path, _setting("File with the private key of that certificate (PEM, without a password).", "a file's path")
        ]
        | None
    ) = None
    metrics_port: (
        Annotated[
            int,
            _setting(
                "Port at which Prometheus reads metrics of a worker or an edge, without a login. The edge of `llum up` "
                "takes the next one. Default: metrics are off.",
                "a port number from 0 to 65534 (0: any free one)",
                ge=0,
                le=65534,
            ),
        ]
        | None
    ) = None
    metrics_host: Annotated[str, _setting("Address of that port.", "a host name or address", min_length=1)] = (
        "127.0.0.1"
    )
    nats_port: Annotated[
        int, _setting("Port of the nats-server that `llum up` starts; 0: any free one.", _PORT, ge=0, le=65535)
    ] = 4222
    nats_url: (
        Annotated[
            str,
            _setting(
                "Address of an external nats-server (2.14 or newer), or those of its cluster. Then llum starts none.",
                "addresses such as nats://127.0.0.1:4222, with commas and no spaces between them",
                pattern=r"^(nats|tls|ws|wss)://[^\s,]+(,(nats|tls|ws|wss)://[^\s,]+)*$",
            ),
        ]
        | None
    ) = None
    public_bus: (
        Annotated[
            str,
            _setting(
                "How programs of people reach the bus: llum tells them. Default: only on this machine.",
                "an address such as nats://llum.example:4222",
                pattern=r"^(nats|tls|ws|wss)://[^@\s]+$",
            ),
        ]
        | None
    ) = None
    credentials: (
        Annotated[
            Path,
            _setting(
                "File with the credentials of llum's own processes. Default: credentials.json in the data folder.",
                "a file's path",
            ),
        ]
        | None
    ) = None
    edge_callout: Annotated[
        bool,
        _setting("Let the HTTP edge say who may connect to the bus. false: `llum callout` does.", "true or false"),
    ] = True
    app_clients: Annotated[
        Literal["nats", "nats+websocket"],
        _setting(
            "How apps may connect to the bus. WebSocket needs a listener of an external nats-server.",
            "nats or nats+websocket",
        ),
    ] = "nats"
    app_connections: Annotated[
        int, _setting("Connections of apps to the bus at the same time.", "a number of at least 1", ge=1)
    ] = APP_CONNECTIONS
    app_subscriptions: Annotated[
        int, _setting("Subscriptions of one connection of an app.", "a number of at least 1", ge=1)
    ] = APP_SUBSCRIPTIONS
    app_payload: Annotated[
        int,
        _setting(
            "Bytes of one message of an app on the bus. A connection that sends more is ended.",
            f"a number from 1024 to {MAX_PAYLOAD_BYTES}",
            ge=1024,
            le=MAX_PAYLOAD_BYTES,
        ),
    ] = MAX_PAYLOAD_BYTES
    issuers: (
        Annotated[
            Path,
            _setting(
                "File with the OpenID Connect issuers at which people may sign in. It holds secrets: mode 0600.",
                "the path of a TOML file",
            ),
        ]
        | None
    ) = None
    partitions: Annotated[
        int,
        _setting(
            "Number of parts that models are divided into. It cannot be changed later.",
            "a number from 1 to 4096",
            ge=1,
            le=MAX_PARTITIONS,
        ),
    ] = DEFAULT_PARTITIONS
    weight: Annotated[
        float,
        _setting(
            "Share of partitions that a worker serves, compared with the others: 2 gets twice as many as 1.",
            f"a number from {LEAST_WEIGHT} to 100",
            ge=LEAST_WEIGHT,
            le=100,
        ),
    ] = 1.0
    replicas: Annotated[
        int,
        _setting(
            "Workers that serve each partition, if there are as many. The largest number that any worker has counts.",
            "a number from 1 to 16",
            ge=1,
            le=16,
        ),
    ] = 1
    max_active_models: Annotated[
        int,
        _setting(
            "Models that one worker keeps in memory, about 4 kB each. It drops the longest unused.",
            "a number of at least 1",
            ge=1,
        ),
    ] = 100_000
    time_zone: Annotated[
        str,
        _setting(
            "Time zone of people who have set none of their own: schedules go by it.",
            "the name of a time zone such as Europe/Amsterdam",
            pattern=ZONE_PATTERN,
        ),
    ] = UTC
    allow_private_webhooks: Annotated[
        bool, _setting("Let rules call private, loopback and link-local addresses too.", "true or false")
    ] = False
    sync: Annotated[
        str,
        _setting(
            "When nats-server writes the log to the disk: `always` at once, or within this time.",
            "`always` or a duration such as 500ms, 10s or 2m",
            pattern=r"^(always|[1-9][0-9]*(ms|s|m|h))$",
        ),
    ] = "always"
    scrub_hours: Annotated[
        int,
        _setting(
            "Hours in which a worker reads all its shards once, to find what has rotted on the disk. 0: never.",
            "a number from 0 to 8760",
            ge=0,
            le=8760,
        ),
    ] = 24
    asked_days: Annotated[
        int,
        _setting("Days for which llum keeps who asked what.", "a number from 1 to 3650", ge=1, le=3650),
    ] = ASKED_KEPT_DAYS
    asked_messages: Annotated[
        int,
        _setting(
            "Messages about who asked that llum keeps of one person. The oldest go first.",
            "a number from 100 to 1000000",
            ge=100,
            le=1_000_000,
        ),
    ] = ASKED_KEPT_MESSAGES
    snapshot_commands: Annotated[
        int,
        _setting("New commands of a partition at which llum makes a snapshot of it.", "a number of at least 1", ge=1),
    ] = 100_000
    snapshot_hours: Annotated[
        float,
        _setting(
            "Hours after which llum makes a snapshot of a partition, if anything is new.", "a number above 0", gt=0
        ),
    ] = 24.0
    log_days: Annotated[
        int,
        _setting(
            "Days for which llum keeps the log, if snapshots have what was before. 0: for ever.",
            "a number from 0 to 36500",
            ge=0,
            le=36_500,
        ),
    ] = 0
    temporary_users: Annotated[
        Literal["auto", "on", "off"],
        _setting(
            "Whether visitors may try llum without an account. auto: where llum runs its own nats-server.",
            "auto, on or off",
        ),
    ] = "auto"
    client_registrations: Annotated[
        int,
        _setting(
            "Clients that may register themselves by OAuth 2, all together. 0: none may.",
            "a number from 0 to 10000",
            ge=0,
            le=10_000,
        ),
    ] = 0
    access_token_minutes: Annotated[
        int,
        _setting("Minutes for which an access token of an app is good.", "a number from 1 to 60", ge=1, le=60),
    ] = 60
    refresh_token_days: Annotated[
        int,
        _setting(
            "Days after its last use for which a sign-in of an app is good.", "a number from 1 to 3650", ge=1, le=3650
        ),
    ] = 90
    password_grant: Annotated[
        bool,
        _setting(
            "Let clients that were there before llum give a person's password at /access_token. Better not.",
            "true or false",
        ),
    ] = False
    legacy_password_grant: Annotated[
        bool,
        _setting(
            "Give clients of the preferences service tokens for the keys of preferences at /access_token.",
            "true or false",
        ),
    ] = False
    preferences_open: Annotated[
        bool,
        _setting(
            "Answer /preferences to everybody who knows a key, without a token. Only where nobody else reaches llum.",
            "true or false",
        ),
    ] = False
    preferences_open_anywhere: Annotated[
        bool,
        _setting(
            "With `preferences_open`: also where other machines reach llum, as on a network of trusted machines.",
            "true or false",
        ),
    ] = False
    ontologies: (
        Annotated[
            Path,
            _setting(
                "Folder with further ontologies of preferences: terms and mappings. They are checked at the start.",
                "a folder's path",
            ),
        ]
        | None
    ) = None
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        _setting("Log messages of this level and above.", "debug, info, warning or error"),
    ] = "info"
    log_format: Annotated[
        Literal["auto", "json", "console"],
        _setting("Format of logs on stderr. auto: console on a terminal, otherwise json.", "auto, json or console"),
    ] = "auto"

    def as_environment(self) -> dict[str, str]:
        """Give the environment variables that make another process read the same settings."""
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        given = {variable(name): str(value) for name, value in values.items() if value is not None}
        return given | {CONFIG_VARIABLE: os.devnull}


class Setting(NamedTuple):
    """What is known of one setting, apart from its value."""

    name: str
    type: Any
    default: Any
    description: str
    expected: str
    choices: tuple[str, ...]


def variable(name: str) -> str:
    """Name a setting's environment variable."""
    return f"LLUM_{name.upper()}"


def option(name: str) -> str:
    """Name a setting's option."""
    return "--" + name.replace("_", "-")


def _describe(name: str, annotation: Any, default: Any) -> Setting:
    parts = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)
    base, meta = get_args(parts[0])
    choices = get_args(base) if get_origin(base) is Literal else ()
    return Setting(name, annotation, default, meta.description, meta.extra["expected"], choices)


def _describe_all() -> dict[str, Setting]:
    hints = get_type_hints(Settings, include_extras=True)
    names = Settings.__struct_fields__
    return {name: _describe(name, hints[name], getattr(_DEFAULTS, name)) for name in names}


_DEFAULTS: Final = Settings()
SETTINGS: Final = _describe_all()


def hide_password(text: str) -> str:
    """Give an address, or several, without the passwords or tokens that they may hold."""
    return with_hidden_logins(text)
