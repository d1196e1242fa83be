"""A contract for import-linter that says what may be imported, not what may not.

What is new in the integration is thereby forbidden until someone allows it.
"""

from typing import Any, override

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output
from importlinter.domain.helpers import module_expressions_to_modules

VENDORS = "custom_components.gatehouse.vendors"


def folder_of(module: str) -> str | None:
    """Return the package of the vendor that a module belongs to, if any."""
    if not module.startswith(f"{VENDORS}."):
        return None
    vendor = module.removeprefix(f"{VENDORS}.").split(".")[0]
    return f"{VENDORS}.{vendor}"


class OnlyImportsContract(Contract):
    """Within one package, the source modules import the allowed modules and no others.

    Configuration options:
        - source_modules: modules to check; wildcards are understood.
        - within: only imports of this package are looked at.
        - allowed_modules: what may be imported, itself and what is in it.
        - allowed_siblings: modules of the same vendor's folder that may be imported;
          `*` allows all of it.
    """

    type_name = "only_imports"

    source_modules: Any = fields.SetField(subfield=fields.ModuleExpressionField())
    within: Any = fields.StringField()
    allowed_modules: Any = fields.ListField(subfield=fields.StringField())
    allowed_siblings: Any = fields.ListField(
        subfield=fields.StringField(), required=False
    )

    @override
    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Look at the direct imports of every source module."""
        broken: list[str] = []
        sources = module_expressions_to_modules(graph, self.source_modules)
        for source in sorted(module.name for module in sources):
            allowed = (*self.allowed_modules, *self._siblings_of(source))
            for imported in sorted(graph.find_modules_directly_imported_by(source)):
                if not _is_in(imported, self.within) or any(
                    _is_in(imported, one) for one in allowed
                ):
                    continue
                broken += [
                    f"{source} -> {imported} (l. {detail['line_number']})"
                    for detail in graph.get_import_details(
                        importer=source, imported=imported
                    )
                ]
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    @override
    def render_broken_contract(self, check: ContractCheck) -> None:
        """Name the imports that are not allowed."""
        for line in check.metadata["broken"]:
            output.print_error(f"- {line}", bold=False)
        output.new_line()

    def _siblings_of(self, source: str) -> list[str]:
        """Return what of its own vendor's folder a module may import."""
        folder = folder_of(source)
        if folder is None:
            return []
        return [
            folder if sibling == "*" else f"{folder}.{sibling}"
            for sibling in self.allowed_siblings or ()
        ]


def _is_in(module: str, package: str) -> bool:
    """Tell whether a module is a package or in it."""
    return module == package or module.startswith(f"{package}.")
