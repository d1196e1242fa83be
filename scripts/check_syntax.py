"""Read JSON and TOML files strictly: check_syntax.py FILE..."""

from collections.abc import Sequence
import json
from pathlib import Path
import sys
import tomllib
from typing import Any


def _without_duplicates(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object, in which JSON itself would let the last of two keys win."""
    built: dict[str, Any] = {}
    for key, value in pairs:
        if key in built:
            raise ValueError(f"key {key!r} is there twice")
        built[key] = value
    return built


def problems_of(path: Path) -> list[str]:
    """Return what is wrong with a file, each as a line that begins with its name."""
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".toml":
            tomllib.loads(text)
        else:
            json.loads(text, object_pairs_hook=_without_duplicates)
    except ValueError as err:
        return [f"{path}: {err}"]
    if not text.endswith("\n"):
        return [f"{path}: does not end with a new line"]
    return []


def main(names: Sequence[str]) -> int:
    """Check the named files; return 1 if anything is wrong."""
    problems = [problem for name in names for problem in problems_of(Path(name))]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
