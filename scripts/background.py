"""Write the texts that embedding models are calibrated with; ``--check`` fails when they differ.

Each is put together from parts written by hand for it (``calibration/*.txt``): wishes and
complaints, bug reports, and what machines write, about so many products that hardly two are about
the same. Nobody's data, and no labels. The same parts give the same texts on every machine.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "calibration"
TEXTS = FOLDER / "texts.jsonl"
EVENTS = 150  # exceptions; log lines come on top, one for each part

type Text = tuple[str, str, str]  # kind, title, body


def main() -> int:
    """Write, or check; returns the exit status."""
    made = "".join(f"{line}\n" for line in lines())
    if "--check" not in sys.argv:
        TEXTS.write_text(made, "utf-8")
        return 0
    if not TEXTS.exists() or TEXTS.read_text("utf-8") != made:
        print(f"{TEXTS.name} differs from its parts: run scripts/background.py", file=sys.stderr)
        return 1
    return 0


def lines() -> Iterator[str]:
    """The texts as lines of JSON: kind, title and text."""
    for kind, title, text in [*_short(), *_reports(), *_exceptions(), *_logs()]:
        yield json.dumps({"kind": kind, "title": title, "text": text}, ensure_ascii=False)


def _short() -> Iterator[Text]:
    closers = (".", "", "", "!", "...", ".", "", " :(", ", any plans?", "!!", ". Why?")
    for (text,) in _parts("short"):
        yield "short", "", f"{text}{_pick(closers, 'closer', text)}"


def _reports() -> Iterator[Text]:
    symptoms, conditions = _parts("symptoms"), _parts("conditions")
    bodies = (FOLDER / "bodies.txt").read_text("utf-8").split("---\n")
    number = 0
    for product, environment, features, _, _ in _parts("products"):
        name, _, what = product.partition(", ")
        seen = [where for of, where in _parts("environments") if of == environment]
        for feature, action in (each.split(": ") for each in features.split("; ")):
            # 7 and 11 are prime to how many there are, so that all are used equally often.
            symptom, happens, expected = symptoms[number * 7 % len(symptoms)]
            (condition,) = conditions[number * 11 % len(conditions)]
            title = f"{feature[0].upper()}{feature[1:]} {symptom}"
            if number % 3 == 0:
                title += f" {condition}"
            body = bodies[number % len(bodies)].format(
                name=name,
                what=what,
                feature=feature,
                action=action,
                happens=happens,
                expected=expected,
                condition=condition,
                where=_pick(seen, title),
            )
            yield "report", title, body.strip()
            number += 1


def _exceptions() -> Iterator[Text]:
    kinds, products = _parts("exceptions"), _parts("products")
    for number in range(EVENTS):
        language, kind, message = kinds[number % len(kinds)]
        # 13 is prime to how many products there are: neighbours in the list are of others.
        _, _, _, module, nouns = products[number * 13 % len(products)]
        words = nouns.split()
        a, b = words[number % 4], words[(number + 1 + number // 44 % 3) % 4]
        title = kind if message == "null" else f"{kind}: {_filled(message, a, b, number)}"
        calls = [_call(module, words, f"{number}.{depth}") for depth in range(3 + number * 5 % 6)]
        yield "error", title, _TRACES[language](title, calls)


def _logs() -> Iterator[Text]:
    products = _parts("products")
    for number, (line,) in enumerate(_parts("loglines")):
        words = products[number * 5 % len(products)][-1].split()
        text = _filled(line, words[number % 4], words[(number + 1) % 4], 1000 + number)
        yield "error", "", text


type Call = tuple[str, str, str, int]  # module, class, function, line


def _call(module: str, words: Sequence[str], key: str) -> Call:
    name = _pick(words, "class", key) + _pick(("", "Service", "Store", "Handler", "View"), key)
    return (
        module,
        name,
        f"{_pick(_VERBS, key)}_{_pick(words, 'of', key).lower()}",
        _number(key) % 900,
    )


def _python(title: str, calls: Sequence[Call]) -> str:
    frames = (
        f'  File "/srv/{module.replace(".", "/")}/{name.lower()}.py", line {line}, in {function}'
        for module, name, function, line in calls
    )
    return "\n".join(["Traceback (most recent call last):", *frames, title])


def _java(title: str, calls: Sequence[Call]) -> str:
    return "\n".join(
        [
            title,
            *(f"\tat com.{m}.{c}.{_camel(f)}({c}.java:{line})" for m, c, f, line in calls),
            "\tat java.base/java.lang.Thread.run(Thread.java:1583)",
        ]
    )


def _js(title: str, calls: Sequence[Call]) -> str:
    frames = (
        f"    at {c}.{_camel(f)} (webpack-internal:///./src/{m.replace('.', '/')}.ts:{line}:17)"
        for m, c, f, line in calls
    )
    return "\n".join([title, *frames])


def _go(title: str, calls: Sequence[Call]) -> str:
    frames = (
        f"{m.replace('.', '/')}.(*{c}).{_camel(f, upper=True)}(0xc000{_hash(f)[:6]})\n"
        f"\t/build/{m.replace('.', '/')}/{c.lower()}.go:{line} +0x{line:x}"
        for m, c, f, line in calls
    )
    return "\n".join([title, "", "goroutine 1 [running]:", *frames])


def _ruby(title: str, calls: Sequence[Call]) -> str:
    frames = (
        f"app/{m.replace('.', '/')}/{c.lower()}.rb:{line}:in `{f}'" for m, c, f, line in calls
    )
    return "\n".join([title, *frames])


def _csharp(title: str, calls: Sequence[Call]) -> str:
    frames = (
        f"   at {m.title()}.{c}.{_camel(f, upper=True)}() in /src/{c}.cs:line {line}"
        for m, c, f, line in calls
    )
    return "\n".join([title, *frames])


_TRACES = {
    "python": _python,
    "java": _java,
    "js": _js,
    "go": _go,
    "ruby": _ruby,
    "csharp": _csharp,
}
_VERBS = (
    *("load", "save", "merge", "validate", "render", "fetch", "apply", "resolve", "encode"),
    *("restore", "schedule", "publish", "convert", "count", "attach", "expire", "import", "sign"),
)


def _filled(part: str, a: str, b: str, key: int) -> str:
    low, high = a.lower(), b.lower()
    for name, value in (("{a}", low), ("{b}", high), ("{A}", a), ("{B}", b)):
        part = part.replace(name, value)
    part = part.replace("{h}", _hash(f"{key}")[:12]).replace(
        "{ip}", f"10.{key % 250}.4.{key % 199}"
    )
    return part.replace("{n}", str(_number(f"{key}") % 9000 + 3))


def _camel(name: str, *, upper: bool = False) -> str:
    first, *others = name.split("_")
    return (first.title() if upper else first) + "".join(word.title() for word in others)


def _pick[T](options: Sequence[T], *key: str) -> T:
    return options[_number(*key) % len(options)]


def _number(*key: str) -> int:
    return int(_hash("/".join(key))[:12], 16)


def _hash(key: str) -> str:
    return sha256(key.encode()).hexdigest()


def _parts(name: str) -> list[list[str]]:
    """The parts in a file, of which each has its fields between bars; ``#`` begins a comment."""
    rows = (FOLDER / f"{name}.txt").read_text("utf-8").splitlines()
    return [[field.strip() for field in row.split(" | ")] for row in rows if row[:2] != "# "]


if __name__ == "__main__":
    sys.exit(main())
