"""Tellicon: requests a second at our address ÷ at a bare view that does as much."""

import asyncio
from pathlib import Path
import sys
import tempfile

import aiohttp

from demo.home_assistant import Api, HomeAssistant
from demo.process import free_ports

from .rounds import Row, compare

ROOT = Path(__file__).parents[1]
YARDSTICK = Path(__file__).parent / "gatehouse_yardstick"
YARDSTICK_TOKEN = "yardstick-token-24-chars"

# Without the recorder, which writes what both sides tell in bursts of its own.
CONFIGURATION = """\
api:
config:
frontend:
gatehouse_yardstick:
logger:
  default: {level}
"""

CONNECTIONS = 8


async def load(port: int, path: str, token: str, count: int) -> float:
    """Return the requests per second that a process of its own gets answered."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.load",
        str(port),
        path,
        str(count),
        str(CONNECTIONS),
        f"authTokenTellicon:{token}",
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("the load was not answered as it should be")
    return float(output)


async def run(*, rounds: int, count: int) -> list[Row]:
    """Measure both addresses of one Home Assistant in turn."""
    with tempfile.TemporaryDirectory() as folder:
        home_assistant = HomeAssistant(
            Path(folder),
            free_ports(1)[0],
            log_level="warning",
            integrations=(YARDSTICK,),
            configuration=CONFIGURATION,
        )
        async with aiohttp.ClientSession() as session:
            await home_assistant.start(session)
            try:
                async with Api(session, home_assistant.url) as api:
                    token = await set_up(api)
                row = await compare(
                    "Tellicon: requests/s ÷ bare view, as many event entities",
                    lambda: load(home_assistant.port, "/eventTellicon", token, count),
                    lambda: load(
                        home_assistant.port,
                        "/gatehouse_yardstick",
                        YARDSTICK_TOKEN,
                        count,
                    ),
                    mark=0.9,
                    rounds=rounds,
                )
            finally:
                await home_assistant.program.stop()
    return [row]


async def set_up(api: Api) -> str:
    """Set Tellicon up as a person does; return the token that was offered."""
    flows = "/api/config/config_entries/flow"
    menu = await api.post(flows, {"handler": "gatehouse"})
    flow = f"{flows}/{menu['flow_id']}"
    form = await api.post(flow, {"next_step_id": "tellicon"})
    (field,) = form["data_schema"]
    token: str = field["default"]
    await api.post(flow, {"token": token})
    await api.post(flow, {})
    return token
