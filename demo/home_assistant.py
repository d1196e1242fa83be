"""A Home Assistant of one's own: its configuration folder, its process, its public API."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
import itertools
import json
from pathlib import Path
import sys
from types import TracebackType
from typing import Any, Self

import aiohttp

from .process import LOOPBACK, DemoError, Program, require_free

USER = "demo"
PASSWORD = "demo"
LANGUAGE = "en"

MEDIA = "media-source://media_source/local"
"""The media folder, as actions name it."""

ROOT = Path(__file__).parents[1]

CONFIGURATION = """\
# Written by scripts/demo. What a front door needs, and nothing that looks outside.
homeassistant:
  media_dirs:
    local: {media}
api:
automation: !include automations.yaml
config:
frontend:
history:
logbook:
recorder:
script: !include scripts.yaml
logger:
  default: warning
  logs:
    custom_components.gatehouse: {level}
    homeassistant.core: info
"""

_START_TIMEOUT = 180.0
"""Seconds; the very first start compiles and creates a database."""

_REQUEST_TIMEOUT = aiohttp.ClientTimeout(total=60)

_RESTART = 100
"""With this exit code Home Assistant asks to be started again."""


class ApiError(DemoError):
    """Home Assistant's API refused something."""


class CommandError(ApiError):
    """A websocket command has failed, and Home Assistant says why."""

    def __init__(self, kind: str, error: Mapping[str, Any]) -> None:
        """Keep what a person would read."""
        super().__init__(f"Home Assistant refuses {kind}: {error}")
        self.text = str(error["message"])


class HomeAssistant:
    """A Home Assistant that listens on this machine alone."""

    def __init__(
        self,
        folder: Path,
        port: int,
        *,
        log_level: str = "info",
        integrations: Sequence[Path] = (),
        configuration: str = CONFIGURATION,
    ) -> None:
        """Describe it; nothing is written or started.

        Args:
            folder: its configuration folder.
            port: where its frontend and API are to be.
            log_level: of Gatehouse.
            integrations: further custom integrations, beside Gatehouse.
            configuration: what it is to load, as `configuration.yaml`.

        """
        self.folder = folder
        self.port = port
        self.url = f"http://{LOOPBACK}:{port}"
        self._log_level = log_level
        self._integrations = (ROOT / "custom_components" / "gatehouse", *integrations)
        self._configuration = configuration
        self.program = Program(
            "Home Assistant",
            (sys.executable, "-m", "homeassistant", "--config", str(folder)),
            log=folder / "output.log",
            folder=folder,
        )

    async def start(self, session: aiohttp.ClientSession) -> None:
        """Write the configuration, start, and wait for the API.

        Raises:
            DemoError: it does not start.

        """
        require_free(self.port, "Home Assistant")
        self._write_configuration()
        await self.program.start()
        await self.wait_until_up(session)

    async def wait_until_up(self, session: aiohttp.ClientSession) -> None:
        """Wait for the frontend, which comes after the API.

        Raises:
            DemoError: it has ended, or takes too long.

        """
        try:
            async with asyncio.timeout(_START_TIMEOUT):
                while not await self._is_up(session):
                    self.program.require_running()
                    await asyncio.sleep(0.3)
        except TimeoutError as err:
            raise DemoError(
                f"Home Assistant has not started within {_START_TIMEOUT:.0f} s. The"
                f" last lines of its output:\n\n{self.program.last_lines()}"
            ) from err

    async def run(self, session: aiohttp.ClientSession) -> int:
        """Keep it running, also when its user restarts it; return its exit code."""
        while (code := await self.program.wait()) == _RESTART:
            await self.program.start()
            await self.wait_until_up(session)
        return code

    def _write_configuration(self) -> None:
        # Otherwise it may lie outside of the folder, as it does in a container.
        media = self.folder / "media"
        media.mkdir(parents=True, exist_ok=True)
        (self.folder / "configuration.yaml").write_text(
            self._configuration.format(
                level=self._log_level, media=json.dumps(str(media.resolve()))
            )
        )
        for name in ("automations.yaml", "scripts.yaml"):
            # What its user makes in the editor is kept there.
            (self.folder / name).touch()
        custom_components = self.folder / "custom_components"
        custom_components.mkdir(exist_ok=True)
        for integration in self._integrations:
            link = custom_components / integration.name
            if not link.is_symlink():
                link.symlink_to(integration)
        # Both in their first version, which every release brings up to date. Home
        # Assistant would otherwise listen everywhere until its user says not to,
        self._write_storage(
            "http", {"server_host": [LOOPBACK], "server_port": self.port}
        )
        # and the later steps of onboarding would set up services from the internet.
        self._write_storage("onboarding", {"done": []}, keep=True)

    def _write_storage(
        self, key: str, content: Mapping[str, Any], *, keep: bool = False
    ) -> None:
        """Write one of the files in which Home Assistant keeps its settings."""
        path = self.folder / ".storage" / key
        if keep and path.exists():
            return
        path.parent.mkdir(exist_ok=True)
        stored = {"version": 1, "minor_version": 1, "key": key, "data": content}
        path.write_text(json.dumps(stored, indent=2) + "\n")

    async def _is_up(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(f"{self.url}/manifest.json") as response:
                return response.status == HTTPStatus.OK
        except aiohttp.ClientError:
            return False


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a state, as Home Assistant has told it."""

    entity_id: str
    state: str
    attributes: Mapping[str, Any]


class Api:
    """What a person can do in the frontend, by the same REST and websocket calls."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        """Prepare to talk to the Home Assistant at `url`."""
        self.url = url
        self.changes: list[Change] = []
        """All changes of states since the connection was opened."""
        self._session = session
        self._token = ""
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._numbers = itertools.count(1)
        self._replies: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._changed = asyncio.Condition()

    async def __aenter__(self) -> Self:
        """Create the user if there is none yet, log in, and connect."""
        code = (
            await self._create_user() if await self._is_new() else await self._login()
        )
        await self._fetch_token(code)
        await self._connect()
        await self._wait_until_running()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Disconnect."""
        if self._socket is not None:
            await self._socket.close()
        if self._reader is not None:
            await self._reader

    async def stay_logged_in(self) -> None:
        """Take a token that outlives the half hour of the one from the login."""
        self._token = await self.command(
            "auth/long_lived_access_token", client_name=USER, lifespan=1
        )

    async def get(self, path: str) -> Any:
        """Return what is at a path.

        Raises:
            ApiError: Home Assistant refuses.

        """
        return await self._request("GET", path)

    async def post(self, path: str, body: Any) -> Any:
        """Send JSON and return the reply.

        Raises:
            ApiError: Home Assistant refuses.

        """
        return await self._request("POST", path, json=body)

    async def delete(self, path: str) -> None:
        """Delete what is at a path.

        Raises:
            ApiError: Home Assistant refuses.

        """
        await self._request("DELETE", path)

    async def command(self, kind: str, **fields: Any) -> Any:
        """Send a websocket command and return its result.

        Raises:
            CommandError: Home Assistant refuses.

        """
        assert self._socket is not None
        number = next(self._numbers)
        reply = self._replies[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "type": kind, **fields})
        async with asyncio.timeout(_REQUEST_TIMEOUT.total):
            answer = await reply
        if not answer["success"]:
            raise CommandError(kind, answer["error"])
        return answer["result"]

    async def action(
        self, name: str, entity_id: str | None = None, **data: Any
    ) -> None:
        """Perform an action, and wait until it has been carried out.

        Args:
            name: of the action.
            entity_id: the entity to perform it on, unless its data say on what.
            data: its data.

        Raises:
            CommandError: the action has failed.

        """
        domain, action = name.split(".")
        await self.command(
            "call_service",
            domain=domain,
            service=action,
            service_data=data,
            **({} if entity_id is None else {"target": {"entity_id": entity_id}}),
        )

    async def ask(self, name: str, **data: Any) -> Any:
        """Perform an action with these data, and return its response.

        Raises:
            CommandError: the action has failed.

        """
        domain, action = name.split(".")
        result = await self.command(
            "call_service",
            domain=domain,
            service=action,
            service_data=data,
            return_response=True,
        )
        return result["response"]

    async def upload(self, name: str, content: bytes, content_type: str) -> None:
        """Put a file into the media folder, in place of one that has its name.

        Raises:
            ApiError: Home Assistant refuses.

        """
        form = aiohttp.FormData({"media_content_id": f"{MEDIA}/."})
        form.add_field("file", content, filename=name, content_type=content_type)
        await self._request("POST", "/api/media_source/local_source/upload", data=form)

    async def states(self) -> list[Change]:
        """Return the present states of all entities."""
        return [
            Change(state["entity_id"], state["state"], state["attributes"])
            for state in await self.get("/api/states")
        ]

    async def image(self, entity_id: str) -> bytes:
        """Return what an image entity shows.

        Raises:
            ApiError: it shows nothing.

        """
        return await self._fetch("GET", f"/api/image_proxy/{entity_id}")

    async def diagnostics(self, entry_id: str) -> Any:
        """Return what can be downloaded about an entry, when something is wrong."""
        content = await self.get(f"/api/diagnostics/config_entry/{entry_id}")
        return content["data"]

    async def state(self, entity_id: str) -> Change:
        """Return the present state of an entity."""
        state = await self.get(f"/api/states/{entity_id}")
        return Change(entity_id, state["state"], state["attributes"])

    async def wait_for_change(
        self,
        entity_id: str,
        wanted: Callable[[Change], bool],
        *,
        since: int,
        seconds: float,
    ) -> Change:
        """Return the first change after the first `since` ones that is as wanted.

        Raises:
            TimeoutError: there was none in time.

        """
        seen = since
        async with asyncio.timeout(seconds), self._changed:
            while True:
                for change in self.changes[seen:]:
                    if change.entity_id == entity_id and wanted(change):
                        return change
                seen = len(self.changes)
                await self._changed.wait()

    async def _request(self, method: str, path: str, **body: Any) -> Any:
        return json.loads(await self._fetch(method, path, **body))

    async def _fetch(self, method: str, path: str, **body: Any) -> bytes:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        async with self._session.request(
            method,
            f"{self.url}{path}",
            headers=headers,
            timeout=_REQUEST_TIMEOUT,
            **body,
        ) as response:
            if not response.ok:
                raise ApiError(
                    f"Home Assistant answers {response.status} to {method} {path}:"
                    f" {await response.text()}"
                )
            return await response.read()

    async def _is_new(self) -> bool:
        """Tell whether nobody has an account yet."""
        async with self._session.get(f"{self.url}/api/onboarding") as response:
            # Home Assistant does not serve this when all is done.
            if not response.ok:
                return False
            steps = await response.json()
        return any(step["step"] == "user" and not step["done"] for step in steps)

    async def _wait_until_running(self) -> None:
        """Wait until all that is configured has been set up."""
        async with asyncio.timeout(_START_TIMEOUT):
            while (await self.command("get_config"))["state"] != "RUNNING":
                await asyncio.sleep(0.2)

    async def _create_user(self) -> str:
        """Do the first step of onboarding; return what a token is given for."""
        reply = await self.post(
            "/api/onboarding/users",
            {
                "client_id": f"{self.url}/",
                "name": USER.capitalize(),
                "username": USER,
                "password": PASSWORD,
                "language": LANGUAGE,
            },
        )
        return str(reply["auth_code"])

    async def _login(self) -> str:
        """Log in; return what a token is given for."""
        client = {"client_id": f"{self.url}/"}
        flow = await self.post(
            "/auth/login_flow",
            {**client, "handler": ["homeassistant", None], "redirect_uri": self.url},
        )
        reply = await self.post(
            f"/auth/login_flow/{flow['flow_id']}",
            {**client, "username": USER, "password": PASSWORD},
        )
        if reply["type"] != "create_entry":
            raise ApiError(
                f"The user {USER} with the password {PASSWORD} cannot log in. To start"
                " over: scripts/demo --fresh"
            )
        return str(reply["result"])

    async def _fetch_token(self, code: str) -> None:
        reply = await self._request(
            "POST",
            "/auth/token",
            data={
                "client_id": f"{self.url}/",
                "grant_type": "authorization_code",
                "code": code,
            },
        )
        self._token = reply["access_token"]

    async def _connect(self) -> None:
        socket = self._socket = await self._session.ws_connect(
            f"{self.url}/api/websocket", max_msg_size=0
        )
        await socket.receive_json()
        await socket.send_json({"type": "auth", "access_token": self._token})
        reply = await socket.receive_json()
        if reply["type"] != "auth_ok":
            raise ApiError(f"Home Assistant refuses the websocket: {reply}")
        self._reader = asyncio.create_task(self._read(socket))
        await self.command("subscribe_events", event_type="state_changed")

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Hand out what arrives: replies to commands, and changes of states."""
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            content = message.json()
            if content["type"] == "result":
                reply = self._replies.pop(content["id"])
                if not reply.done():
                    reply.set_result(content)
            elif content["type"] == "event":
                new = content["event"]["data"]["new_state"]
                if new is not None:
                    async with self._changed:
                        self.changes.append(
                            Change(new["entity_id"], new["state"], new["attributes"])
                        )
                        self._changed.notify_all()
        for reply in self._replies.values():
            if not reply.done():
                reply.set_exception(ApiError("Home Assistant has hung up"))
