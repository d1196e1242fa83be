"""Who may import whom."""

from typing import Any

from grimp import ImportGraph
from importlinter import ContractCheck
import pytest

from scripts.import_contracts import OnlyImportsContract

ROOT = "custom_components.gatehouse"
CLIENT = f"{ROOT}.vendors.bell.client"


def check(imported: str, **options: Any) -> ContractCheck:
    """Check a client that imports one module."""
    graph = ImportGraph()
    for module in (CLIENT, imported):
        graph.add_module(module)
    graph.add_import(
        importer=CLIENT, imported=imported, line_number=7, line_contents="import it"
    )
    contract = OnlyImportsContract(
        name="test",
        session_options={"root_packages": ["custom_components"]},
        contract_options={
            "source_modules": [f"{ROOT}.vendors.*.client"],
            "within": "custom_components",
            "allowed_modules": [f"{ROOT}.wire"],
            **options,
        },
    )
    return contract.check(graph, verbose=False)


@pytest.mark.parametrize(
    ("imported", "is_kept"),
    [
        (f"{ROOT}.wire", True),
        (f"{ROOT}.wired", False),
        (f"{ROOT}.vendors.bell.protocol", True),
        (f"{ROOT}.vendors.bell.protocol.words", True),
        (f"{ROOT}.vendors.bell.hub", False),
        (f"{ROOT}.vendors.gong.protocol", False),
        (f"{ROOT}.hub", False),
        (ROOT, False),
        ("aiohttp", True),
    ],
)
def test_protocol_and_wire_are_allowed(imported: str, is_kept: bool) -> None:
    assert check(imported, allowed_siblings=["protocol"]).kept is is_kept


@pytest.mark.parametrize(
    ("imported", "is_kept"),
    [
        (f"{ROOT}.vendors.bell.hub", True),
        (f"{ROOT}.vendors.gong.hub", False),
        (f"{ROOT}.hub", False),
    ],
)
def test_all_siblings_are_allowed(imported: str, is_kept: bool) -> None:
    assert check(imported, allowed_siblings=["*"]).kept is is_kept


def test_no_siblings_are_allowed() -> None:
    assert not check(f"{ROOT}.vendors.bell.protocol").kept


def test_the_import_is_named() -> None:
    assert check(f"{ROOT}.hub").metadata == {
        "broken": [f"{CLIENT} -> {ROOT}.hub (l. 7)"]
    }
