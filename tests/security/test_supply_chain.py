"""What is built and released: by whom it may be touched, and from what it is made."""

from collections.abc import Iterator, Mapping
import hashlib
from pathlib import Path
import re
import subprocess
from typing import Any
import zipfile

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))

# What more than reading a job may do, and why it must.
GRANTED = {
    ("release.yml", "release"): {
        "attestations": "write",  # says by which workflow the file was made
        "contents": "write",  # makes the release
        "id-token": "write",  # signs the attestation
    }
}

# These have no releases, and their makers say that the branch is to be used.
BRANCHES = {"home-assistant/actions/hassfest@master", "hacs/action@main"}

every_workflow = pytest.mark.parametrize(
    "path", WORKFLOWS, ids=[path.name for path in WORKFLOWS]
)


def read(path: Path) -> dict[Any, Any]:
    """Return a workflow."""
    workflow: dict[Any, Any] = yaml.safe_load(path.read_text())
    return workflow


def steps_of(workflow: Mapping[Any, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the steps of all jobs."""
    for job in workflow["jobs"].values():
        yield from job.get("steps", ())


def test_there_are_workflows() -> None:
    """The others of these tests look at something."""
    assert {path.name for path in WORKFLOWS} >= {"lint.yml", "release.yml", "test.yml"}


@every_workflow
def test_permissions(path: Path) -> None:
    """A job may read the repository; only the release's may do more."""
    workflow = read(path)
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        allowed = GRANTED.get((path.name, name), {"contents": "read"})
        assert job.get("permissions", {}).items() <= allowed.items()


@every_workflow
def test_triggers(path: Path) -> None:
    """No workflow runs what a stranger proposes with the project's own rights."""
    # YAML takes the word `on` for true.
    triggers = read(path)[True]
    assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(triggers)


@every_workflow
def test_actions(path: Path) -> None:
    """Actions are those of a version, and know no credentials of the repository."""
    for step in steps_of(read(path)):
        if (uses := step.get("uses")) is None:
            continue
        assert uses in BRANCHES or re.fullmatch(
            r"[^@]+@(v\d+(\.\d+)*|[0-9a-f]{40})", uses
        )
        if uses.startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@every_workflow
def test_scripts_take_nothing_in(path: Path) -> None:
    """What others have written comes to a script as a variable, never as its text."""
    for step in steps_of(read(path)):
        assert "${{" not in step.get("run", "")


def test_release_can_be_made_again(tmp_path: Path) -> None:
    """Who packs the same commit again, at another time and place, gets the same file."""
    (pack,) = (
        step["run"]
        for step in steps_of(read(ROOT / ".github" / "workflows" / "release.yml"))
        if "git" in step.get("run", "") and "archive" in step["run"]
    )
    folder = tmp_path / "custom_components" / "gatehouse"
    (folder / "vendors").mkdir(parents=True)
    (folder / "manifest.json").write_text("{}\n")
    (folder / "vendors" / "__init__.py").write_text("\n")
    (tmp_path / "README.md").write_text("# Not for the release\n")

    def run(script: str, **environment: str) -> None:
        subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tmp_path,
            env={
                "PATH": "/usr/bin:/bin",
                "HOME": str(tmp_path),
                "GIT_CONFIG_NOSYSTEM": "1",
                **environment,
            },
            check=True,
            capture_output=True,
        )

    who = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (
            ("NAME", "A"),
            ("EMAIL", "a@example.com"),
            ("DATE", "2001-02-03T04:05:06Z"),
        )
    }
    run("git init -q && git add . && git commit -qm Begin", **who)
    sums = set()
    for zone in ("Asia/Tokyo", "America/Sao_Paulo"):
        run(f"mkdir -p dist && {pack}", TZ=zone)
        content = (tmp_path / "dist" / "gatehouse.zip").read_bytes()
        sums.add(hashlib.sha256(content).hexdigest())
    (digest,) = sums
    assert (tmp_path / "dist" / "gatehouse.zip.sha256").read_text().split() == [
        digest,
        "gatehouse.zip",
    ]
    with zipfile.ZipFile(tmp_path / "dist" / "gatehouse.zip") as packed:
        infos = packed.infolist()
    assert [info.filename for info in infos] == [
        "manifest.json",
        "vendors/",
        "vendors/__init__.py",
    ]
    # Not those of the moment at which it was packed.
    assert {info.date_time for info in infos} == {(2001, 2, 3, 4, 5, 6)}
