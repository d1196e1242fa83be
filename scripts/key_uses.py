"""Read out of an integration's code which texts and entities it asks for.

Nothing is run. Keys are followed through constants, tables, local variables and the
arguments of functions in the same module, which is as far as readers go, too.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
import re

type Function = ast.FunctionDef | ast.AsyncFunctionDef

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

_MAX_DETOURS = 8


@dataclass(frozen=True, slots=True)
class TextUse:
    """A place where the code asks for a text."""

    where: str
    section: str
    """exceptions, issues, device, selector, error, abort, step or field."""
    key: str | None
    """None if it cannot be told from the code."""


@dataclass(frozen=True, slots=True)
class EntityUse:
    """The declaration of an entity."""

    where: str
    platform: str
    key: str
    has_device_class: bool
    states: tuple[str, ...]
    """The states that it names itself."""


@dataclass(slots=True)
class Uses:
    """All that an integration's code asks for."""

    texts: list[TextUse] = field(default_factory=list)
    entities: list[EntityUse] = field(default_factory=list)


def read_uses(folder: Path) -> Uses:
    """Read all modules of an integration."""
    trees = {
        path.relative_to(folder).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*.py"))
    }
    constants: dict[str, ast.expr] = {}
    for tree in trees.values():
        constants |= _constants_of(tree)
    uses = Uses()
    for name, tree in trees.items():
        _Module(name, tree, constants).read_into(uses)
    return uses


class _Module:
    """One module of the integration."""

    def __init__(
        self, name: str, tree: ast.Module, constants: dict[str, ast.expr]
    ) -> None:
        self._name = name
        self._tree = tree
        # Its own constants count before those of the same name elsewhere.
        self._constants = constants | _constants_of(tree)
        self._around: dict[ast.AST, ast.AST] = {
            child: parent
            for parent in ast.walk(tree)
            for child in ast.iter_child_nodes(parent)
        }
        self._calls: defaultdict[str, list[ast.Call]] = defaultdict(list)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                self._calls[_called(node)].append(node)

    def read_into(self, uses: Uses) -> None:
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Call):
                uses.texts += self._texts_of(node)
                uses.entities += self._entities_of(node)
            elif isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == "base":
                        uses.texts += self._uses("error", value, strict=False)

    def _texts_of(self, call: ast.Call) -> Iterator[TextUse]:
        name = _called(call)
        arguments = {one.arg: one.value for one in call.keywords if one.arg}
        first = call.args[0] if call.args else None
        if key := arguments.get("translation_key"):
            if name == "async_create_issue":
                # Who calls this function of ours names the key.
                function = self._function_of(call)
                strict = function is None or function.name != "raise_issue"
                yield from self._uses("issues", key, strict=strict)
            elif name in ("ObjectSelectorConfig", "SelectSelectorConfig"):
                yield from self._uses("selector", key)
            elif re.search(r"(Error|Failed|NotReady)$", name):
                yield from self._uses("exceptions", key)
            elif name in ("add_device", "DeviceInfo"):
                yield from self._uses("device", key)
        if name == "raise_issue" and first:
            # Who calls `show_connection` names the key of a loss that lasts.
            function = self._function_of(call)
            strict = function is None or function.name != "ask_about_loss"
            yield from self._uses("issues", first, strict=strict)
        elif name == "show_connection" and (issue := arguments.get("issue")):
            yield from self._uses("issues", issue)
        elif name == "FormError" and first:
            yield from self._uses("error", first)
        elif name == "AbortFlow" and first:
            yield from self._uses("abort", first)
        elif name == "async_abort" and (reason := arguments.get("reason")):
            yield from self._uses("abort", reason)
        elif name in ("Required", "Optional") and first:
            # Of the slots of an intent, which say in words what they are for, no form
            # is made.
            if isinstance(arguments.get("description"), ast.Constant):
                return
            yield from self._uses("field", first, strict=False)
        if step := arguments.get("step_id"):
            yield from self._uses("step", step, strict=False)

    def _uses(
        self, section: str, expression: ast.expr, *, strict: bool = True
    ) -> Iterator[TextUse]:
        where = f"{self._name}:{expression.lineno}"
        keys = self._strings(expression)
        for key in sorted(keys):
            yield TextUse(where, section, key)
        if not keys and strict:
            yield TextUse(where, section, None)

    def _entities_of(self, call: ast.Call) -> Iterator[EntityUse]:
        name = _called(call)
        arguments = {one.arg: one.value for one in call.keywords if one.arg}
        if not name.endswith("Description") or "key" not in arguments:
            return
        platform = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.removesuffix("Description"))
        options = arguments.get("options")
        states = (
            [state for one in options.elts for state in self._strings(one)]
            if isinstance(options, ast.List | ast.Tuple)
            else []
        )
        for key in self._strings(arguments["key"]):
            yield EntityUse(
                f"{self._name}:{call.lineno}",
                platform.lower(),
                key,
                "device_class" in arguments,
                tuple(states),
            )

    def _strings(self, expression: ast.expr | None, detours: int = 0) -> set[str]:
        """Return what a text can be; empty if that cannot be told."""
        if detours > _MAX_DETOURS:
            return set()
        detours += 1
        match expression:
            case ast.Constant(value=str(text)):
                return {text}
            case ast.IfExp(body=one, orelse=other):
                return self._strings(one, detours) | self._strings(other, detours)
            case ast.BoolOp(values=values):
                return set().union(*(self._strings(one, detours) for one in values))
            case ast.Subscript(value=table):
                return self._values(table, detours)
            case ast.Call(func=ast.Attribute(value=table, attr="get"), args=[_, *rest]):
                found = self._values(table, detours)
                return found.union(*(self._strings(one, detours) for one in rest))
            case ast.Name():
                return set().union(
                    *(self._strings(one, detours) for one in self._meanings(expression))
                ) | self._values_passed_by(expression, detours)
        return set()

    def _values(self, table: ast.expr | None, detours: int) -> set[str]:
        """Return the texts in a table."""
        if detours > _MAX_DETOURS:
            return set()
        detours += 1
        match table:
            case ast.Dict(values=values):
                return set().union(*(self._strings(one, detours) for one in values))
            case ast.BinOp(left=one, op=ast.BitOr(), right=other):
                return self._values(one, detours) | self._values(other, detours)
            case ast.Name():
                return set().union(
                    *(self._values(one, detours) for one in self._meanings(table))
                )
        return set()

    def _values_passed_by(self, name: ast.Name, detours: int) -> set[str]:
        """Return the texts of a table that a loop hands to a name."""
        found: set[str] = set()
        for loop in self._in_function(name, ast.For):
            match loop.iter:
                case ast.Call(func=ast.Attribute(value=table, attr="values" | "items")):
                    if name.id in _names_in(loop.target):
                        found |= self._values(table, detours)
        return found

    def _meanings(self, name: ast.Name) -> Iterator[ast.expr]:
        """Yield all that a name can stand for: variable, argument or constant."""
        is_local = False
        for assignment in self._in_function(name, ast.Assign):
            for target in assignment.targets:
                for meaning in _assigned(target, assignment.value, name.id):
                    is_local = True
                    yield meaning
        function = self._function_of(name)
        if function is not None and name.id in _parameters(function):
            is_local = True
            yield from self._passed(function, name.id)
        if not is_local and name.id in self._constants:
            yield self._constants[name.id]
        elif not is_local and name.id.startswith("CONF_"):
            # Home Assistant's own constants of this kind say what they are called.
            yield ast.copy_location(
                ast.Constant(name.id.removeprefix("CONF_").lower()), name
            )

    def _passed(self, function: Function, parameter: str) -> Iterator[ast.expr]:
        """Yield what the module's calls of a function pass for a parameter."""
        parameters = [one for one in _parameters(function) if one != "self"]
        defaults = function.args.defaults
        positional = [one.arg for one in function.args.args]
        for one, default in zip(
            positional[len(positional) - len(defaults) :], defaults, strict=True
        ):
            if one == parameter:
                yield default
        for call in self._calls[function.name]:
            for keyword in call.keywords:
                if keyword.arg == parameter:
                    yield keyword.value
            index = parameters.index(parameter)
            if index < len(call.args):
                yield call.args[index]

    def _in_function[NodeT: ast.AST](
        self, node: ast.AST, kind: type[NodeT]
    ) -> Iterator[NodeT]:
        """Yield the nodes of a kind in the function that a node is in."""
        function = self._function_of(node)
        if function is not None:
            for one in ast.walk(function):
                if isinstance(one, kind):
                    yield one

    def _function_of(self, node: ast.AST) -> Function | None:
        parent = self._around.get(node)
        while parent is not None and not isinstance(parent, _FUNCTIONS):
            parent = self._around.get(parent)
        return parent


def _constants_of(tree: ast.Module) -> dict[str, ast.expr]:
    """Return the constants of a module."""
    constants: dict[str, ast.expr] = {}
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                constants[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                constants[name] = value
    return constants


def _called(call: ast.Call) -> str:
    """Return the last name of what is called."""
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _parameters(function: Function) -> list[str]:
    arguments = function.args
    return [one.arg for one in (*arguments.args, *arguments.kwonlyargs)]


def _names_in(target: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}


def _assigned(target: ast.expr, value: ast.expr, name: str) -> Iterator[ast.expr]:
    """Yield what an assignment gives to a name."""
    match target, value:
        case ast.Name(id=found), _ if found == name:
            yield value
        case ast.Tuple(elts=targets), ast.Tuple(elts=values):
            for one, other in zip(targets, values, strict=False):
                yield from _assigned(one, other, name)
