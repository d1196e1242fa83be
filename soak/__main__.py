"""An hour of mixed traffic with faults against a real Home Assistant with Gatehouse."""

import argparse
import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
import itertools
import os
from pathlib import Path
import random
import re
from statistics import median
import sys
import tempfile
import time
from typing import Any

import aiohttp

from benchmarks.stopwatch import STOPWATCH
from demo.check import (
    CODES as SECRETS,
    NOTIFY_EVERY,
    faults_of_gatehouse,
    shown_secrets,
)
from demo.home_assistant import CONFIGURATION, Api, HomeAssistant
from demo.house import House
from demo.neighbourhood import Neighbourhood, Ports
from demo.process import DemoError, free_ports, until_signal
from demo.report import NotAsExpected
from demo.scenario import holds_secret

from .gauge import Sample, look, write_csv
from .judgement import Limit, Verdict, judge
from .ledger import Ledger
from .plot import Line, Panel, draw
from .traffic import PAUSES, Step, Traffic, all_traffic

GAUGE = Path(__file__).parent / "gatehouse_gauge"
TRACE = "GATEHOUSE_GAUGE_TRACE"
FRAMES = "8"

LIMITS = {
    "memory": Limit(share=0.05),
    "files": Limit(at_least=3),
    "sockets": Limit(at_least=3),
    "threads": Limit(at_least=3),
    "tasks": Limit(at_least=3),
    "timers": Limit(at_least=3, share=0.05),
    "objects": Limit(share=0.05),
}
"""What each series may rise by while the traffic goes on, after the warm-up."""

AT_REST = {"files": 3, "sockets": 2, "tasks": 2, "timers": 5}
"""How many more there may be at rest after the traffic than at rest before it."""

UNITS = {"memory": " MiB"}

BETWEEN_ROUNDS = 1.1
"""Seconds."""

FAULTS = (NotAsExpected, DemoError, aiohttp.ClientError, TimeoutError, LookupError)
"""What a step that fails may raise."""

LOG_LINE = re.compile(r"^\S+ \S+ (WARNING|ERROR|CRITICAL) \([^)]*\) \[([^\]]+)\] (.*)")


def leaves(errors: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    """Return the exceptions in a group and in the groups in it."""
    for err in errors.exceptions:
        if isinstance(err, BaseExceptionGroup):
            yield from leaves(err)
        else:
            yield err


class Rounds:
    """Plays the traffic of all vendors, and keeps the score."""

    def __init__(self, *, short: bool) -> None:
        """Begin with nothing played."""
        self.played: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.failures: defaultdict[str, list[str]] = defaultdict(list)
        self._short = short

    async def go_on(self, traffic: Traffic, end: float) -> None:
        """Play one vendor's rounds until the end: everything, and one fault."""
        faults = itertools.cycle(
            [step for step in traffic.faults if not (self._short and step.slow)]
        )
        pauses = itertools.cycle(PAUSES)
        while True:
            pause = next(pauses)
            fault = next(faults)
            steps = [*random.sample(traffic.ordinary, len(traffic.ordinary)), fault]
            for step in random.sample(steps, len(steps)):
                if time.monotonic() > end:
                    return
                await self._play(traffic, step, is_fault=step is fault)
                await asyncio.sleep(random.uniform(0, pause))
            # Vendors' clocks show seconds: the same once more would be a repetition.
            await asyncio.sleep(BETWEEN_ROUNDS)

    async def _play(self, traffic: Traffic, step: Step, *, is_fault: bool) -> None:
        """Do one thing, and put things right again if it fails."""
        name = f"{traffic.vendor}: {step.name}"
        (self.faults if is_fault else self.played)[traffic.vendor] += 1
        try:
            await step.do()
            if is_fault:
                await traffic.settle()
        except* FAULTS as errors:
            for err in leaves(errors):
                self.failures[name].append(text := f"{type(err).__name__}: {err}")
                print(f"FAIL   {name}: {text}", flush=True)
            try:
                await traffic.settle()
            except FAULTS as err:
                print(f"FAIL   {traffic.vendor} does not settle: {err}", flush=True)


async def soak(options: argparse.Namespace) -> int:
    """Run, print what was found, and return the exit code."""
    port, *simulated = free_ports(6)
    if options.trace:
        os.environ[TRACE] = FRAMES
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        home_assistant = HomeAssistant(
            folder / "config",
            port,
            integrations=(GAUGE, STOPWATCH),
            configuration=f"{CONFIGURATION}gatehouse_gauge:\n",
        )
        neighbourhood = Neighbourhood(
            folder / "simulators.log", Ports(*simulated), notify_every=NOTIFY_EVERY
        )
        stack.push_async_callback(neighbourhood.program.stop)
        stack.push_async_callback(home_assistant.program.stop)
        await neighbourhood.start(session)
        await home_assistant.start(session)
        async with Api(session, home_assistant.url) as api:
            await api.stay_logged_in()
            house = House(api, neighbourhood)
            await house.move_in()
            ledger, rounds = Ledger(), Rounds(short=options.short)
            traffic = await all_traffic(session, api, neighbourhood, house, ledger)
            run = Run(api, home_assistant.program.pid, options)
            begin = home_assistant.program.log.stat().st_size
            await run.go_through(traffic, rounds)
            # What is on its way may still arrive.
            changes = list(api.changes)
            secrets = {*SECRETS, *await shown_secrets(house)}
        code = await home_assistant.program.stop()
        log = home_assistant.program.log.read_bytes()
        if options.log:
            options.log.write_bytes(log)
    left = [*tell_series(run), *tell_rest(run)]
    problems = [
        # That is too short for things to settle.
        *([] if options.short else left),
        *tell_events(ledger, changes),
        *tell_orders(ledger),
        *tell_steps(rounds),
        *tell_log(log[begin:].decode(errors="replace")),
    ]
    if holds_secret(log.decode(errors="replace"), secrets):
        problems.append("a secret is in the log")
    if code != 0:
        problems.append(f"Home Assistant ends with exit code {code}")
    tell_objects(run)
    if options.csv:
        write_csv(options.csv, run.samples)
    if options.plot:
        options.plot.write_text(plot(run))
    print()
    for problem in problems:
        print(f"FAIL   {problem}")
    print("Not all holds" if problems else "All holds")
    return 1 if problems else 0


class Run:
    """The measurements of one run."""

    def __init__(self, api: Api, pid: int, options: argparse.Namespace) -> None:
        """Prepare; nothing is measured."""
        self.samples: list[Sample] = []
        self.before: list[Sample] = []
        """At rest, before the traffic."""
        self.after: list[Sample] = []
        self.objects: list[Any] = []
        """What the objects were after the warm-up, and at the end."""
        self.seconds: float = 60.0 * options.minutes
        self.warm_up: float = self.seconds * options.warm_up
        self._api = api
        self._pid = pid
        self._every: float = options.every
        self._rest: float = options.rest
        self._begin = 0.0

    async def go_through(self, traffic: Sequence[Traffic], rounds: Rounds) -> None:
        """Measure at rest, during the traffic, and at rest again."""
        self._begin = time.monotonic()
        self.before = await self._at_rest()
        self._begin = time.monotonic()
        end = self._begin + self.seconds
        async with asyncio.TaskGroup() as tasks:
            measuring = tasks.create_task(self._measure(end))
            for one in traffic:
                tasks.create_task(rounds.go_on(one, end))
            await measuring
        for one in traffic:
            await one.settle()
        self.after = await self._at_rest()

    async def _measure(self, end: float) -> None:
        """Look again and again."""
        while (now := time.monotonic()) < end:
            self.samples.append(await look(self._api, self._pid, now - self._begin))
            if not self.objects and now - self._begin >= self.warm_up:
                await self._count_objects()
            if len(self.samples) % 30 == 1:
                print(self.samples[-1], flush=True)
            await asyncio.sleep(self._every)
        await self._count_objects()

    async def _at_rest(self) -> list[Sample]:
        """Let things come to rest, and look a few times."""
        await asyncio.sleep(self._rest)
        samples = []
        for _ in range(5):
            samples.append(
                await look(self._api, self._pid, time.monotonic() - self._begin)
            )
            await asyncio.sleep(self._rest / 10)
        return samples

    async def _count_objects(self) -> None:
        self.objects.append(await self._api.get("/api/gatehouse_gauge/objects"))
        # This has kept the event loop, and is not to be found in the next look.
        await look(self._api, self._pid, 0)

    def verdict(self, name: str) -> Verdict:
        """Judge one series."""
        return judge(
            [sample.seconds for sample in self.samples],
            [getattr(sample, name) for sample in self.samples],
            LIMITS[name],
            self.warm_up,
        )


def tell_series(run: Run) -> list[str]:
    """Print how each series goes on; return what is not flat."""
    minutes = (run.samples[-1].seconds - run.warm_up) / 60
    print(
        f"\nDuring {run.seconds / 60:g} min of traffic, the first"
        f" {run.warm_up / 60:g} min of which do not count:\n"
        f"{'':<10}{'first tenth':>14}{'last tenth':>14}{'rise':>12}{'allowed':>12}"
    )
    problems = []
    for name in LIMITS:
        found = run.verdict(name)
        print(
            f"{name:<10}{found.first:>14,.6g}{found.last:>14,.6g}{found.rise:>+12,.4g}"
            f"{found.allowed:>12,.4g}{'' if found.flat else '   RISES'}"
        )
        if not found.flat:
            problems.append(
                f"{name} rises by {found.rise:.4g}{UNITS.get(name, '')} in"
                f" {minutes:.0f} min"
            )
    late = sorted(sample.late for sample in run.samples)
    busy = run.samples[-1].cpu - run.samples[0].cpu
    print(
        f"event loop late, in each {run.samples[1].seconds - run.samples[0].seconds:.0f}"
        f" s: median {median(late):.0f} ms, 95 % below {late[int(len(late) * 0.95)]:.0f}"
        f" ms, longest {late[-1]:.0f} ms of CPU time; CPU {busy / run.seconds:.1%}"
    )
    return problems


def tell_rest(run: Run) -> list[str]:
    """Print what is left at rest; return what should not be."""
    print(f"\nAt rest:\n{'':<10}{'before':>14}{'after':>14}{'more':>12}{'allowed':>12}")
    problems = []
    for name in LIMITS:
        before, after = (
            median(getattr(sample, name) for sample in samples)
            for samples in (run.before, run.after)
        )
        allowed = AT_REST.get(name)
        print(
            f"{name:<10}{before:>14,.6g}{after:>14,.6g}{after - before:>+12,.4g}"
            f"{'' if allowed is None else allowed:>12}"
        )
        if allowed is not None and after - before > allowed:
            problems.append(f"at rest there are {after - before:g} more {name}")
    return problems


def tell_events(ledger: Ledger, changes: Sequence[Any]) -> list[str]:
    """Print what became of the events; return what is wrong with them."""
    print(f"\n{'':<14}{'events accepted':>16}{'lost':>8}{'doubled':>9}{'refused':>9}")
    problems = []
    for vendor, account in sorted(ledger.accounts(changes).items()):
        print(
            f"{vendor:<14}{account.accepted:>16,}{len(account.lost):>8}"
            f"{len(account.doubled):>9}{ledger.refused[vendor]:>9}"
        )
        if not account.balanced:
            problems.append(f"{vendor}: {account.lost[:3]} {account.doubled[:3]}")
    return problems


def tell_orders(ledger: Ledger) -> list[str]:
    """Print what was ordered and what moved; return what is wrong with it."""
    print(f"\n{'':<14}{'orders':>8}{'done':>8}{'failed':>8}{'moved':>8}{'wrong':>8}")
    for door in sorted({order.door for order in ledger.orders}):
        orders = [order for order in ledger.orders if order.door == door]
        outcomes = Counter(order.outcome.value for order in orders)
        print(
            f"{door:<14}{len(orders):>8}{outcomes['done']:>8}{outcomes['failed']:>8}"
            f"{sum(order.moved for order in orders):>8}"
            f"{sum(order.wrong for order in orders):>8}"
        )
    return [str(order) for order in ledger.orders if order.wrong]


def tell_steps(rounds: Rounds) -> list[str]:
    """Print how much was played; return what was not as expected."""
    print(f"\n{'':<14}{'steps':>8}{'faults':>8}")
    for vendor in sorted({*rounds.played, *rounds.faults}):
        print(f"{vendor:<14}{rounds.played[vendor]:>8}{rounds.faults[vendor]:>8}")
    return [
        f"{name}, {len(errors)} times: {errors[0]}"
        for name, errors in rounds.failures.items()
    ]


def tell_log(log: str) -> list[str]:
    """Print what was logged; return what should not be in it."""
    lines = Counter(
        (found[1], found[2], re.sub(r"\d+", "…", found[3])[:90])
        for line in log.splitlines()
        if (found := LOG_LINE.match(line))
    )
    print("\nWarnings and errors in the log:" if lines else "\nNo warnings in the log")
    for (level, logger, text), count in lines.most_common(25):
        print(f"{count:>6} {level:<8} {logger}: {text}")
    problems = [f"logged: {line}" for line in faults_of_gatehouse(log)]
    if tracebacks := log.count("Traceback (most recent call last)"):
        problems.append(f"{tracebacks} tracebacks in the log")
    return problems


def tell_objects(run: Run) -> None:
    """Print of which types there are more than after the warm-up, and from where."""
    if len(run.objects) < 2:
        return
    for kind in ("types", "lines"):
        before, after = (Counter(one.get(kind, {})) for one in run.objects)
        if not after:
            continue
        print(f"\nMost growth between the warm-up and the end, by {kind}:")
        for name, more in (after - before).most_common(12):
            print(f"{more:>+10,} {name}")


def plot(run: Run) -> str:
    """Draw the run."""

    def line(name: str, title: str) -> Line:
        return Line(title, [getattr(sample, name) for sample in run.samples])

    return draw(
        [
            Panel("Memory of the process (MiB)", [line("memory", "resident")]),
            Panel(
                "Objects (thousands)",
                [Line("tracked", [sample.objects / 1000 for sample in run.samples])],
            ),
            Panel("Open files", [line("files", "all"), line("sockets", "sockets")]),
            Panel(
                "Event loop: what waits",
                [line("timers", "timers"), line("tasks", "tasks")],
            ),
            Panel(
                "Event loop: longest time late (ms of CPU time)",
                [line("late", "late")],
            ),
        ],
        [sample.seconds for sample in run.samples],
        run.warm_up,
        f"{run.seconds / 60:g} minutes of mixed traffic with faults; the warm-up is shaded",
    )


def main() -> int:
    """Read the command line, run, and return the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument(
        "--minutes", type=float, default=60, help="length of the traffic"
    )
    parser.add_argument(
        "--short", action="store_true", help="only see that it works: about a minute"
    )
    parser.add_argument("--every", type=float, default=10, help="seconds between looks")
    parser.add_argument("--plot", type=Path, help="where to write the plot, an SVG")
    parser.add_argument("--csv", type=Path, help="where to write all samples")
    parser.add_argument("--log", type=Path, help="where to keep Home Assistant's log")
    parser.add_argument(
        "--trace", action="store_true", help="also tell which code allocates; slow"
    )
    options = parser.parse_args()
    options.warm_up, options.rest = 0.25, 40.0
    if options.short:
        options.minutes, options.every, options.rest = 0.3, 1.0, 1.0
    try:
        return asyncio.run(until_signal(soak(options)))
    except DemoError as err:
        print(f"scripts/soak: {err}", file=sys.stderr)
        return 1
    except asyncio.CancelledError:
        return 130


if __name__ == "__main__":
    sys.exit(main())
