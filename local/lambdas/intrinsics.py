"""CloudFormation's intrinsic functions, for a template that runs here.

What is not known is refused: a value that resolves to the wrong thing costs more
than a stop at the start.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

SUBSTITUTION = re.compile(r"\$\{([^}]*)\}")


class NotSupportedError(Exception):
    """The template uses something that the local runner doesn't know."""


class NoValue:
    """``AWS::NoValue``: whatever holds it disappears."""


class Resolver:
    """Resolves values against names, attributes and conditions.

    ``ref(name)`` and ``attribute(name, attribute)`` give a name's local value or raise
    NotSupportedError.
    """

    def __init__(
        self,
        ref: Callable[[str], Any],
        attribute: Callable[[str, str], str],
        conditions: Mapping[str, Any],
    ) -> None:
        self._ref = ref
        self._attribute = attribute
        self._conditions = conditions
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._resolve_ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::If": self._if,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::Equals": lambda value: self.test({"Fn::Equals": value}),
        }

    def resolve(self, value: Any) -> Any:
        """``value`` with every intrinsic replaced, whole structures included."""
        if isinstance(value, dict):
            name = next(iter(value)) if len(value) == 1 else None
            if name == "Ref" or (isinstance(name, str) and name.startswith("Fn::")):
                if name not in self._functions:
                    raise NotSupportedError(f"{name} is not resolved locally")
                return self._functions[name](value[name])
            items = {key: self.resolve(item) for key, item in value.items()}
            return {key: item for key, item in items.items() if item is not NoValue}
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not NoValue]
        if isinstance(value, str) and "{{resolve:" in value:
            raise NotSupportedError(f"dynamic reference {value!r}")
        return value

    def holds(self, condition: str) -> bool:
        """Whether the template's condition of that name is true."""
        if condition not in self._conditions:
            raise NotSupportedError(f"condition {condition!r} is not in the template")
        return self.test(self._conditions[condition])

    def test(self, expression: Any) -> bool:
        """The value of one condition expression."""
        name, argument = next(iter(expression.items()))
        match name:
            case "Condition":
                return self.holds(argument)
            case "Fn::Equals":
                left, right = map(self.resolve, argument)
                return as_text(left) == as_text(right)
            case "Fn::Not":
                return not self.test(argument[0])
            case "Fn::And":
                return all(map(self.test, argument))
            case "Fn::Or":
                return any(map(self.test, argument))
        raise NotSupportedError(f"{name} in a condition")

    def _resolve_ref(self, name: Any) -> Any:
        return NoValue if name == "AWS::NoValue" else self._ref(name)

    def _get_att(self, argument: Any) -> str:
        name, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        return self._attribute(name, self.resolve(attribute))

    def _sub(self, argument: Any) -> str:
        text, given = argument if isinstance(argument, list) else (argument, {})

        def value(match: re.Match[str]) -> str:
            name = match[1].strip()
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in given:
                return as_text(self.resolve(given[name]))
            return as_text(self._get_att(name) if "." in name else self._ref(name))

        return SUBSTITUTION.sub(value, text)

    def _join(self, argument: Any) -> str:
        separator, parts = argument
        return str(separator).join(map(as_text, self.resolve(parts)))

    def _if(self, argument: Any) -> Any:
        condition, yes, no = argument
        return self.resolve(yes if self.holds(condition) else no)

    def _select(self, argument: Any) -> Any:
        index, items = argument
        return self.resolve(items)[int(self.resolve(index))]

    def _split(self, argument: Any) -> list[str]:
        separator, text = argument
        return as_text(self.resolve(text)).split(separator)


def as_text(value: Any) -> str:
    """A scalar as CloudFormation writes it into a string; refuses lists and maps."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise NotSupportedError(f"{value!r} where a string is needed")
