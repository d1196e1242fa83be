"""What a running Home Assistant takes: memory, open files, tasks and so on."""

from collections.abc import Sequence
import csv
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from demo.home_assistant import Api


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the process."""

    seconds: float
    """Since the traffic began."""
    memory: float
    """Resident, in MiB."""
    files: int
    """Open file descriptors, sockets among them."""
    sockets: int
    threads: int
    tasks: int
    timers: int
    """Those that wait in the event loop."""
    objects: int
    """Those that the garbage collector tracks."""
    late: float
    """The longest time since the last look that the event loop served nobody, in ms of
    CPU time."""
    cpu: float
    """Seconds of CPU time since the process was started."""


async def look(api: Api, pid: int, seconds: float) -> Sample:
    """Return what there is now."""
    inside = await api.get("/api/gatehouse_gauge")
    process = Path("/proc") / str(pid)
    status = dict(
        line.split(":", 1) for line in (process / "status").read_text().splitlines()
    )
    # After the name, which may hold anything, in parentheses.
    times = (process / "stat").read_text().rpartition(")")[2].split()[11:13]
    links = [_target(link) for link in (process / "fd").iterdir()]
    return Sample(
        seconds=round(seconds, 1),
        memory=round(int(status["VmRSS"].split()[0]) / 1024, 2),
        files=len(links),
        sockets=sum(link.startswith("socket:") for link in links),
        threads=int(status["Threads"]),
        tasks=inside["tasks"],
        timers=inside["timers"],
        objects=inside["objects"],
        late=round(inside["late"] * 1000, 1),
        cpu=sum(map(int, times)) / 100,
    )


def write_csv(path: Path, samples: Sequence[Sample]) -> None:
    """Write a line for each sample."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(
            file, [field.name for field in fields(Sample)], lineterminator="\n"
        )
        writer.writeheader()
        writer.writerows(asdict(sample) for sample in samples)


def _target(link: Path) -> str:
    """Return what a file descriptor is; empty if it has just been closed."""
    try:
        return str(link.readlink())
    except FileNotFoundError:
        return ""
