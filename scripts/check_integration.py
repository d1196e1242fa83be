"""Check what Home Assistant's own tools do not check of a custom integration.

The manifest's order and claim, the quality scale, texts in all languages, and that
every text and icon that the code asks for is there. Prints a line for each problem.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
import json
from pathlib import Path
import re
import sys
from typing import Any

import yaml

from scripts.key_uses import Uses, read_uses

INTEGRATION = Path("custom_components/gatehouse")

LANGUAGES = ("en", "fr", "de", "pt-BR", "ja")

# The Integration Quality Scale; tiers from the lowest to the highest.
RULES: Mapping[str, tuple[str, ...]] = {
    "bronze": (
        "action-setup",
        "appropriate-polling",
        "brands",
        "common-modules",
        "config-flow",
        "config-flow-test-coverage",
        "dependency-transparency",
        "docs-actions",
        "docs-conditions",
        "docs-high-level-description",
        "docs-installation-instructions",
        "docs-removal-instructions",
        "docs-triggers",
        "entity-event-setup",
        "entity-unique-id",
        "has-entity-name",
        "runtime-data",
        "test-before-configure",
        "test-before-setup",
        "unique-config-entry",
    ),
    "silver": (
        "action-exceptions",
        "config-entry-unloading",
        "docs-configuration-parameters",
        "docs-installation-parameters",
        "entity-unavailable",
        "integration-owner",
        "log-when-unavailable",
        "parallel-updates",
        "reauthentication-flow",
        "test-coverage",
    ),
    "gold": (
        "devices",
        "diagnostics",
        "discovery",
        "discovery-update-info",
        "docs-data-update",
        "docs-examples",
        "docs-known-limitations",
        "docs-supported-devices",
        "docs-supported-functions",
        "docs-troubleshooting",
        "docs-use-cases",
        "dynamic-devices",
        "entity-category",
        "entity-device-class",
        "entity-disabled-by-default",
        "entity-translations",
        "exception-translations",
        "icon-translations",
        "reconfiguration-flow",
        "repair-issues",
        "stale-devices",
    ),
    "platinum": ("async-dependency", "inject-websession", "strict-typing"),
}

# How flows end by themselves. Home Assistant 2026.8 looks for these texts in the
# integration; later releases bring them along.
_ENDINGS = ("already_in_progress", "reauth_successful", "reconfigure_successful")
_SUBENTRY_ENDINGS = ("reconfigure_successful",)

_PLACEHOLDER = re.compile(r"{(\w+)}")
_URL = re.compile(r"https?://|www\.", re.IGNORECASE)

# What a person can use in automations: its file, and its section in the other files.
_AUTOMATION_PARTS = {
    "services.yaml": "services",
    "triggers.yaml": "triggers",
    "conditions.yaml": "conditions",
}


class Integration:
    """An integration's folder."""

    def __init__(self, folder: Path) -> None:
        """Look at a folder; nothing is read yet."""
        self.folder = folder

    def problems(self) -> Iterator[str]:
        """Yield all problems, each with the file that it is in."""
        yield from self.manifest_problems()
        yield from self.quality_scale_problems()
        yield from self.language_problems()
        yield from self.form_problems()
        yield from self.use_problems()
        yield from self.entity_problems()
        yield from self.automation_problems()

    def manifest_problems(self) -> Iterator[str]:
        """Check the order of the manifest: domain, name, then the alphabet."""
        keys = list(self.manifest)
        wanted = [
            *(key for key in ("domain", "name") if key in keys),
            *sorted(set(keys) - {"domain", "name"}),
        ]
        for key, should_be in zip(keys, wanted, strict=True):
            if key != should_be:
                yield f"manifest.json: {key!r} stands where {should_be!r} belongs"
                return

    def quality_scale_problems(self) -> Iterator[str]:
        """Check that every rule has a status, and that the manifest claims no more."""
        name = "quality_scale.yaml"
        path = self.folder / name
        if not path.exists():
            yield f"{name}: is missing"
            return
        stated: dict[str, Any] = (yaml.safe_load(path.read_text()) or {}).get(
            "rules", {}
        )
        known = {rule for rules in RULES.values() for rule in rules}
        for rule in sorted(known - set(stated)):
            yield f"{name}: rule {rule!r} is missing"
        for rule in sorted(set(stated) - known):
            yield f"{name}: there is no rule {rule!r}"
        statuses: dict[str, str] = {}
        for rule, value in stated.items():
            entry = value if isinstance(value, dict) else {"status": value}
            status = statuses[rule] = str(entry.get("status"))
            if status not in ("done", "exempt", "todo"):
                yield f"{name}: {rule}: status {status!r} is none of done, exempt, todo"
            elif status == "exempt" and not entry.get("comment"):
                yield f"{name}: {rule}: is exempt without a comment that says why"
        claimed = self.manifest.get("quality_scale")
        if claimed is None:
            return
        if claimed not in RULES:
            yield f"manifest.json: there is no quality scale {claimed!r}"
            return
        tiers = list(RULES)
        for tier in tiers[: tiers.index(claimed) + 1]:
            for rule in RULES[tier]:
                if statuses.get(rule) == "todo":
                    yield (
                        f"manifest.json: claims {claimed}, but {rule} ({tier}) is to do"
                    )

    def language_problems(self) -> Iterator[str]:
        """Check that all languages say the same, with the same placeholders."""
        english = flatten(self.texts)
        for language in LANGUAGES:
            name = f"translations/{language}.json"
            path = self.folder / name
            if not path.exists():
                yield f"{name}: is missing"
                continue
            texts = flatten(json.loads(path.read_text(encoding="utf-8")))
            for key in sorted(english.keys() - texts.keys()):
                yield f"{name}: {key} is missing"
            for key in sorted(texts.keys() - english.keys()):
                yield f"{name}: {key} is not in English"
            for key, text in texts.items():
                if not text.strip():
                    yield f"{name}: {key} is empty"
                if _URL.search(text):
                    yield f"{name}: {key} holds a URL; use a placeholder"
                wanted = set(_PLACEHOLDER.findall(english.get(key, text)))
                found = set(_PLACEHOLDER.findall(text))
                if wanted != found:
                    yield (
                        f"{name}: {key} has the placeholders {sorted(found)},"
                        f" English has {sorted(wanted)}"
                    )

    def form_problems(self) -> Iterator[str]:
        """Check that each field of a form is named and described, and each ending."""
        for name, flow in self._named_flows():
            endings = _ENDINGS if name == "config" else _SUBENTRY_ENDINGS
            for key in () if name == "options" else endings:
                if key not in flow.get("abort", ()):
                    yield f"translations/en.json: {name}.abort.{key} is missing"
        for path, step in self._steps():
            named = set(step.get("data", ()))
            described = set(step.get("data_description", ()))
            for field in sorted(named ^ described):
                lacks = "description" if field in named else "name"
                yield f"translations/en.json: {path}: field {field!r} has no {lacks}"
        options = self.texts["config"]["step"]["user"].get("menu_options", {})
        vendors = self.folder / "vendors"
        for folder in sorted(vendors.iterdir()) if vendors.is_dir() else ():
            if not (folder / "__init__.py").exists():
                continue
            if folder.name not in options:
                yield f"translations/en.json: vendor {folder.name!r} is not in the menu"
            if folder.name not in self.texts["config"]["step"]:
                yield f"translations/en.json: vendor {folder.name!r} has no form"

    def use_problems(self) -> Iterator[str]:
        """Check that every text that the code asks for exists, and the reverse."""
        flows = list(self._flows())
        existing: dict[str, set[str]] = {
            "exceptions": set(self.texts.get("exceptions", ())),
            "issues": set(self.texts.get("issues", ())),
            "device": set(self.texts.get("device", ())),
            "selector": set(self.texts.get("selector", ())),
            "error": {key for flow in flows for key in flow.get("error", ())},
            "abort": {key for flow in flows for key in flow.get("abort", ())},
            "step": {key for flow in flows for key in flow.get("step", ())},
            "field": {
                field for _, step in self._steps() for field in step.get("data", ())
            }
            | {
                field
                for section in _AUTOMATION_PARTS.values()
                for part in self.texts.get(section, {}).values()
                for field in part.get("fields", ())
            }
            # Under this, triggers and conditions keep their fields.
            | {"options"},
        }
        for use in self.uses.texts:
            if use.key is None:
                yield f"{use.where}: cannot tell which {use.section} key this is"
            elif use.key not in existing[use.section]:
                yield (
                    f"{use.where}: translations/en.json has no {use.section}"
                    f" {use.key!r}"
                )
        for section in ("exceptions", "issues"):
            used = {use.key for use in self.uses.texts if use.section == section}
            for key in sorted(existing[section] - used):
                yield f"translations/en.json: {section}.{key} is used nowhere"

    def entity_problems(self) -> Iterator[str]:
        """Check that each entity has a name, and an icon where it needs its own."""
        names = self.texts.get("entity", {})
        icons = self.icons.get("entity", {})
        declared: set[tuple[str, str]] = set()
        for entity in self.uses.entities:
            declared.add((entity.platform, entity.key))
            text = names.get(entity.platform, {}).get(entity.key, {})
            path = f"entity.{entity.platform}.{entity.key}"
            if "name" not in text:
                yield f"{entity.where}: translations/en.json has no {path}.name"
            for state in entity.states:
                if state not in text.get("state", {}):
                    yield f"{entity.where}: {path}.state.{state} has no text"
            if not entity.has_device_class and entity.key not in icons.get(
                entity.platform, {}
            ):
                yield f"{entity.where}: icons.json has no {path}"
        for name, section in (("translations/en.json", names), ("icons.json", icons)):
            for platform, keys in section.items():
                for key in keys:
                    if (platform, key) not in declared:
                        yield f"{name}: there is no entity {platform}.{key}"

    def automation_problems(self) -> Iterator[str]:
        """Check that actions, triggers and conditions have names and icons."""
        for name, section in _AUTOMATION_PARTS.items():
            file = self.folder / name
            parts = yaml.safe_load(file.read_text()) or {} if file.exists() else {}
            texts = self.texts.get(section, {})
            for key, part in parts.items():
                text = texts.get(key, {})
                yield from _undescribed(f"{section}.{key}", text)
                for field, selector in _fields_of(part):
                    path = f"{section}.{key}.fields.{field}"
                    yield from _undescribed(path, text.get("fields", {}).get(field, {}))
                    yield from self._option_problems(path, selector)
                if key not in self.icons.get(section, {}):
                    yield f"icons.json: {section}.{key} is missing"
            for key in sorted(set(texts) - set(parts)):
                yield f"translations/en.json: {section}.{key} is not in {name}"

    def _option_problems(self, path: str, selector: Mapping[str, Any]) -> Iterator[str]:
        """Check that what can be selected has texts."""
        choice = selector.get("select") or {}
        if key := choice.get("translation_key"):
            texts = self.texts.get("selector", {}).get(key, {}).get("options", {})
            for option in choice["options"]:
                if option not in texts:
                    yield f"{path}: selector.{key}.options.{option} has no text"

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Return the manifest."""
        return self._json("manifest.json")

    @cached_property
    def texts(self) -> dict[str, Any]:
        """Return the English texts."""
        return self._json("translations/en.json")

    @cached_property
    def icons(self) -> dict[str, Any]:
        """Return the icons."""
        return self._json("icons.json")

    @cached_property
    def uses(self) -> Uses:
        """Return the texts and entities that the code asks for."""
        return read_uses(self.folder)

    def _json(self, name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(
            (self.folder / name).read_text(encoding="utf-8")
        )
        return content

    def _flows(self) -> Iterator[dict[str, Any]]:
        for _, flow in self._named_flows():
            yield flow

    def _named_flows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for name in ("config", "options"):
            yield name, self.texts.get(name, {})
        for kind, flow in self.texts.get("config_subentries", {}).items():
            yield f"config_subentries.{kind}", flow

    def _steps(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for name, flow in self._named_flows():
            for step_id, step in flow.get("step", {}).items():
                yield f"{name}.step.{step_id}", step


def flatten(texts: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return texts by their whole path."""
    flat: dict[str, str] = {}
    for key, value in texts.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _fields_of(part: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the fields of an action, trigger or condition, those in sections too.

    Each comes with what it is entered by.
    """
    for name, field in ((part or {}).get("fields") or {}).items():
        if isinstance(field, dict) and "fields" in field:
            yield from _fields_of(field)
        else:
            yield name, (field or {}).get("selector") or {}


def _undescribed(path: str, text: Mapping[str, Any]) -> Iterator[str]:
    for part in ("name", "description"):
        if not text.get(part):
            yield f"translations/en.json: {path}.{part} is missing"


def main(folder: Path = INTEGRATION) -> int:
    """Check the integration; return 1 if anything is wrong."""
    problems = list(Integration(folder).problems())
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
