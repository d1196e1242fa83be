"""What the checks of texts and claims find, and that they find nothing else."""

from collections.abc import Callable
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.check_integration import LANGUAGES, RULES, Integration, main

MANIFEST = {"domain": "lodge", "name": "Lodge", "config_flow": True, "version": "1.0.0"}

TEXTS: dict[str, Any] = {
    "config": {
        "abort": {
            "already_configured": "Known.",
            "already_in_progress": "Under way.",
            "reauth_successful": "Let in again.",
            "reconfigure_successful": "Changed.",
        },
        "error": {"cannot_connect": "No connection."},
        "step": {
            "bell": {
                "data": {"host": "Host"},
                "data_description": {"host": "Where the bell is."},
            },
            "user": {"menu_options": {"bell": "Bell"}},
        },
    },
    "entity": {
        "button": {"ring": {"name": "Ring"}},
        "sensor": {"mood": {"name": "Mood", "state": {"loud": "Loud"}}},
    },
    "exceptions": {"silent": {"message": "{name} is silent."}},
    "services": {
        "ring": {
            "name": "Ring",
            "description": "Rings.",
            "fields": {"times": {"name": "Times", "description": "How often."}},
        }
    },
}

ICONS = {
    "entity": {"button": {"ring": {"default": "mdi:bell"}}},
    "services": {"ring": {"service": "mdi:bell"}},
}

SERVICES = {"ring": {"fields": {"times": {"required": True}}}}

CODE = """
ENTITIES = (
    ButtonDescription(key="ring"),
    SensorDescription(key="mood", device_class="enum", options=["loud"]),
)

FORM = Schema({Required(CONF_HOST): str})

def prove(errors):
    raise FormError("cannot_connect")

def press():
    raise HomeAssistantError(translation_domain=DOMAIN, translation_key="silent")
"""

type Change = Callable[[Path], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a small integration without problems."""
    write(tmp_path, "manifest.json", MANIFEST)
    write(tmp_path, "icons.json", ICONS)
    for language in LANGUAGES:
        write(tmp_path, f"translations/{language}.json", TEXTS)
    write_rules(tmp_path)
    (tmp_path / "services.yaml").write_text(yaml.safe_dump(SERVICES))
    (tmp_path / "vendors" / "bell").mkdir(parents=True)
    (tmp_path / "vendors" / "bell" / "__init__.py").write_text(CODE)
    return tmp_path


def write(folder: Path, name: str, content: Any) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content))


def write_rules(folder: Path, **changes: Any) -> None:
    rules: dict[str, Any] = {rule: "done" for tier in RULES.values() for rule in tier}
    for rule, value in changes.items():
        if value is None:
            del rules[rule.replace("_", "-")]
        else:
            rules[rule.replace("_", "-")] = value
    (folder / "quality_scale.yaml").write_text(yaml.safe_dump({"rules": rules}))


def write_texts(
    folder: Path, change: Callable[[dict[str, Any]], object], *languages: str
) -> None:
    for language in languages or LANGUAGES:
        texts = json.loads(json.dumps(TEXTS))
        change(texts)
        write(folder, f"translations/{language}.json", texts)


def problems(folder: Path) -> list[str]:
    return list(Integration(folder).problems())


def test_no_problems(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert problems(folder) == []
    assert main(folder) == 0
    assert capsys.readouterr().out == ""


def test_problems_are_printed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "quality_scale.yaml").unlink()
    assert main(folder) == 1
    assert capsys.readouterr().out == "quality_scale.yaml: is missing\n"


def test_there_are_54_rules() -> None:
    assert sum(map(len, RULES.values())) == 54


def test_manifest_out_of_order(folder: Path) -> None:
    write(folder, "manifest.json", {"name": "Lodge", "domain": "lodge"})
    assert problems(folder) == ["manifest.json: 'name' stands where 'domain' belongs"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"brands": None}, "quality_scale.yaml: rule 'brands' is missing"),
        ({"beauty": "done"}, "quality_scale.yaml: there is no rule 'beauty'"),
        (
            {"brands": "almost"},
            "quality_scale.yaml: brands: status 'almost' is none of done, exempt, todo",
        ),
        (
            {"brands": {"status": "exempt"}},
            "quality_scale.yaml: brands: is exempt without a comment that says why",
        ),
    ],
)
def test_quality_scale(folder: Path, changes: dict[str, Any], problem: str) -> None:
    write_rules(folder, **changes)
    assert problems(folder) == [problem]


def test_claimed_tier(folder: Path) -> None:
    write(folder, "manifest.json", {**MANIFEST, "quality_scale": "silver"})
    write_rules(folder, devices="todo")
    # That one sorts before the version, where it stands after it here.
    assert problems(folder) == [
        "manifest.json: 'version' stands where 'quality_scale' belongs"
    ]
    write(
        folder,
        "manifest.json",
        {"domain": "lodge", "name": "Lodge", "quality_scale": "silver"},
    )
    assert problems(folder) == []
    write_rules(folder, brands="todo", test_coverage="todo")
    assert problems(folder) == [
        "manifest.json: claims silver, but brands (bronze) is to do",
        "manifest.json: claims silver, but test-coverage (silver) is to do",
    ]
    write(
        folder,
        "manifest.json",
        {"domain": "lodge", "name": "Lodge", "quality_scale": "wood"},
    )
    assert problems(folder) == ["manifest.json: there is no quality scale 'wood'"]


def test_language_missing(folder: Path) -> None:
    (folder / "translations" / "ja.json").unlink()
    assert problems(folder) == ["translations/ja.json: is missing"]


def test_key_missing_in_a_language(folder: Path) -> None:
    write_texts(
        folder, lambda texts: texts["config"]["abort"].pop("already_configured"), "fr"
    )
    assert problems(folder) == [
        "translations/fr.json: config.abort.already_configured is missing"
    ]


def test_key_too_many_in_a_language(folder: Path) -> None:
    write_texts(folder, lambda texts: texts.update(title="Loge"), "fr")
    assert problems(folder) == ["translations/fr.json: title is not in English"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "{nom} se tait.",
            "has the placeholders ['nom'], English has ['name']",
        ),
        ("{name}: www.example.com", "holds a URL; use a placeholder"),
    ],
)
def test_text_of_a_language(folder: Path, text: str, problem: str) -> None:
    write_texts(
        folder, lambda texts: texts["exceptions"]["silent"].update(message=text), "fr"
    )
    assert problems(folder) == [
        f"translations/fr.json: exceptions.silent.message {problem}"
    ]


def test_empty_text(folder: Path) -> None:
    write_texts(
        folder,
        lambda texts: texts["config"]["abort"].update(already_configured=" "),
        "de",
    )
    assert problems(folder) == [
        "translations/de.json: config.abort.already_configured is empty"
    ]


def test_field_without_description(folder: Path) -> None:
    write_texts(
        folder, lambda texts: texts["config"]["step"]["bell"].pop("data_description")
    )
    assert problems(folder) == [
        "translations/en.json: config.step.bell: field 'host' has no description"
    ]


def test_field_without_name(folder: Path) -> None:
    write_texts(
        folder,
        lambda texts: texts["config"]["step"]["bell"]["data_description"].update(
            port="Which port."
        ),
    )
    assert problems(folder) == [
        "translations/en.json: config.step.bell: field 'port' has no name"
    ]


def test_ending_without_text(folder: Path) -> None:
    door = {"entry_type": "Door", "step": {"user": {"title": "Add a door"}}}
    write_texts(
        folder,
        lambda texts: (
            texts["config"]["abort"].pop("reauth_successful"),
            texts.update(config_subentries={"door": door}),
        ),
    )
    assert problems(folder) == [
        "translations/en.json: config.abort.reauth_successful is missing",
        (
            "translations/en.json: config_subentries.door.abort.reconfigure_successful"
            " is missing"
        ),
    ]


def test_vendor_without_form(folder: Path) -> None:
    (folder / "vendors" / "gong").mkdir()
    (folder / "vendors" / "gong" / "__init__.py").touch()
    assert problems(folder) == [
        "translations/en.json: vendor 'gong' is not in the menu",
        "translations/en.json: vendor 'gong' has no form",
    ]


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ('FormError("deaf")', "translations/en.json has no error 'deaf'"),
        ('AbortFlow("deaf")', "translations/en.json has no abort 'deaf'"),
        ('Required("port")', "translations/en.json has no field 'port'"),
        ("FormError(guess())", "cannot tell which error key this is"),
        (
            'HomeAssistantError(translation_key="deaf")',
            "translations/en.json has no exceptions 'deaf'",
        ),
        (
            'async_create_issue(translation_key="deaf")',
            "translations/en.json has no issues 'deaf'",
        ),
    ],
)
def test_text_that_is_asked_for(folder: Path, code: str, problem: str) -> None:
    (folder / "flow.py").write_text(f"\n{code}\n")
    assert problems(folder) == [f"flow.py:2: {problem}"]


def test_text_that_nobody_asks_for(folder: Path) -> None:
    write_texts(
        folder, lambda texts: texts["exceptions"].update(deaf={"message": "Deaf."})
    )
    assert problems(folder) == ["translations/en.json: exceptions.deaf is used nowhere"]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        (
            'ButtonDescription(key="knock")',
            [
                "button.py:1: translations/en.json has no entity.button.knock.name",
                "button.py:1: icons.json has no entity.button.knock",
            ],
        ),
        (
            'SensorDescription(key="mood", device_class=1, options=["shy"])',
            ["button.py:1: entity.sensor.mood.state.shy has no text"],
        ),
    ],
)
def test_entity_without_text(folder: Path, code: str, found: list[str]) -> None:
    (folder / "button.py").write_text(code)
    assert problems(folder) == found


def test_text_without_entity(folder: Path) -> None:
    write_texts(
        folder, lambda texts: texts["entity"].update(lock={"door": {"name": "Door"}})
    )
    write(
        folder,
        "icons.json",
        {**ICONS, "entity": {**ICONS["entity"], "event": {"ring": {}}}},
    )
    assert problems(folder) == [
        "translations/en.json: there is no entity lock.door",
        "icons.json: there is no entity event.ring",
    ]


def test_action_without_texts(folder: Path) -> None:
    (folder / "services.yaml").write_text(
        yaml.safe_dump(
            {**SERVICES, "knock": {"fields": {"more": {"fields": {"hard": None}}}}}
        )
    )
    assert problems(folder) == [
        "translations/en.json: services.knock.name is missing",
        "translations/en.json: services.knock.description is missing",
        "translations/en.json: services.knock.fields.hard.name is missing",
        "translations/en.json: services.knock.fields.hard.description is missing",
        "icons.json: services.knock is missing",
    ]


def test_option_without_text(folder: Path) -> None:
    choice = {"options": ["soft", "hard"], "translation_key": "force"}
    fields = {"times": {"selector": {"select": choice}}}
    (folder / "services.yaml").write_text(yaml.safe_dump({"ring": {"fields": fields}}))
    write_texts(
        folder,
        lambda texts: texts.update(selector={"force": {"options": {"soft": "Soft"}}}),
    )
    assert problems(folder) == [
        "services.ring.fields.times: selector.force.options.hard has no text"
    ]


def test_trigger(folder: Path) -> None:
    trigger = {"name": "Knocked", "description": "Triggers when somebody knocks."}
    field = {"name": "Force", "description": "How hard."}
    write(folder, "icons.json", {**ICONS, "triggers": {"knocked": {"trigger": "x"}}})
    (folder / "trigger.py").write_text("Required(CONF_OPTIONS)\nOptional('force')")
    (folder / "triggers.yaml").write_text(
        yaml.safe_dump({"knocked": {"fields": {"force": {"selector": {"text": None}}}}})
    )
    write_texts(folder, lambda texts: texts.update(triggers={"knocked": trigger}))
    assert problems(folder) == [
        "trigger.py:2: translations/en.json has no field 'force'",
        "translations/en.json: triggers.knocked.fields.force.name is missing",
        "translations/en.json: triggers.knocked.fields.force.description is missing",
    ]
    write_texts(
        folder,
        lambda texts: texts.update(
            triggers={"knocked": {**trigger, "fields": {"force": field}}}
        ),
    )
    assert problems(folder) == []


def test_texts_without_action(folder: Path) -> None:
    (folder / "services.yaml").unlink()
    assert problems(folder) == [
        "translations/en.json: services.ring is not in services.yaml"
    ]
