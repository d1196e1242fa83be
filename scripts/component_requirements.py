"""Write down what Home Assistant would install when it starts.

Home Assistant installs the requirements of an integration when it first loads it. Demo
and tests have them installed beforehand, so that they start quickly and without a
network.

    component_requirements.py test|demo FILE

Run by the Python that they are for. Writes the requirements to FILE and prints the path
of the constraints under which Home Assistant would install them.
"""

from collections.abc import Iterable
import json
from pathlib import Path
import sys

import homeassistant
from homeassistant import bootstrap

HOME_ASSISTANT = Path(homeassistant.__file__).parent

# What Gatehouse itself uses, and what its tests play and show.
OURS = (
    "camera",
    "conversation",
    "ffmpeg",
    "http",
    "image",
    "media_source",
    "tts",
)

DEMO = (
    *bootstrap.CORE_INTEGRATIONS,
    *bootstrap.DEFAULT_INTEGRATIONS,
    # In the demo's configuration.
    "api",
    "config",
    "history",
    "logbook",
    "recorder",
    # What Home Assistant loads for its web server where it can.
    "isal",
)

WANTED = {"test": OURS, "demo": (*OURS, *DEMO)}


def requirements_of(components: Iterable[str]) -> set[str]:
    """Return the requirements of integrations and all that they depend on."""
    requirements: set[str] = set()
    to_do = list(components)
    done: set[str] = set()
    while to_do:
        component = to_do.pop()
        if component in done:
            continue
        done.add(component)
        path = HOME_ASSISTANT / "components" / component / "manifest.json"
        # What a dependency comes after need not exist in every release.
        if not path.exists():
            continue
        manifest = json.loads(path.read_text())
        requirements.update(manifest.get("requirements", ()))
        to_do += manifest.get("dependencies", ())
        to_do += manifest.get("after_dependencies", ())
    return requirements


def main() -> None:
    """Write the file that is named on the command line."""
    _, wanted, file = sys.argv
    requirements = requirements_of(WANTED[wanted])
    Path(file).write_text("".join(f"{one}\n" for one in sorted(requirements)))
    print(HOME_ASSISTANT / "package_constraints.txt")


if __name__ == "__main__":
    main()
