"""The tests of a module as text, and the id that pytest gives to each case."""

import ast
import inspect


def tests(module, cases, world, in_classes):
    """The text of a module's tests; sets the ids of its cases.

    module: its path.  in_classes: whether tests are methods.
    """
    folder, name = module[: -len(".py")].split("/")[-2:]
    path = "tests/%s/test_%s.py" % (folder, name)
    space = world.module(cases[0].module).__dict__
    groups, plain, used = {}, [], set()
    for case in cases:
        trees = [ast.parse(step) for step in case.steps]
        names = {n.id for t in trees for n in ast.walk(t) if isinstance(n, ast.Name)}
        case.names = sorted(name for name in names if name in space)
        used.update(case.names)
        case.arguments = _arguments(trees[-1].body[0].value)
        if len(case.steps) == 1 and case.arguments and not case.raises:
            groups.setdefault((case.names[0], len(case.arguments)), []).append(case)
        else:
            plain.append(case)
    bodies = []
    prefix = ""
    if in_classes:
        prefix = "Test" + "".join(word.title() for word in name.split("_"))
    where = "::".join([path, prefix]) if prefix else path
    for (function, count), group in sorted(groups.items()):
        told = set()
        names = list(inspect.signature(space[function]).parameters)[:count]
        wanted = "expected" if "wanted" in names else "wanted"
        rows = []
        for case in group:
            values = [*case.arguments, ast.literal_eval(case.wanted)]
            ident = "-".join(
                _ident(value, name, len(rows)) for value, name in zip(values, [*names, wanted])
            )
            if len(group) == 1 or ident in told:
                plain.append(case)
                continue
            told.add(ident)
            case.id = "%s::test_%s_%d[%s]" % (where, function, count, ident)
            rows.append("(%s)" % ", ".join(map(repr, values)))
        if rows:
            bodies.append(_parametrised(function, count, names, wanted, rows))
    for number, case in enumerate(plain, 1):
        test = "test_%s_%d" % (_snake(case.names[0]), number)
        if count_of(bodies, test):
            test += "_alone"
        case.id = "%s::%s" % (where, test)
        bodies.append(_plain(test, case))
    head = '"""Tests of %s."""\n\n' % cases[0].module
    if "pytest." in "".join(bodies):
        head += "import pytest\n\n"
    head += "from %s import %s\n" % (cases[0].module, ", ".join(sorted(used)))
    if not in_classes:
        return path, head + "".join("\n\n" + body for body in bodies)
    lines = "\n".join(bodies).replace("def test_", "def test_").splitlines()
    lines = [line.replace("(", "(self, ", 1) if line.startswith("def ") else line for line in lines]
    text = "\n".join("    " + line if line else "" for line in lines).replace("(self, )", "(self)")
    return path, head + "\n\nclass %s:\n%s\n" % (prefix, text)


def count_of(bodies, test):
    return sum("def %s(" % test in body for body in bodies)


def _arguments(node):
    """The values of a call of one function with nothing but literals, () where it is none."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)) or node.keywords:
        return ()
    try:
        return tuple(ast.literal_eval(argument) for argument in node.args)
    except ValueError:
        return ()


def _ident(value, name, number):
    if isinstance(value, str):
        return value.encode("unicode_escape").decode("ascii")
    if value is None or isinstance(value, (int, float)):
        return str(value)
    return "%s%d" % (name, number)


def _snake(name):
    return "".join("_" + c.lower() if c.isupper() else c for c in name).strip("_")


def _parametrised(function, count, names, wanted, rows):
    given = ", ".join(names)
    marks = "".join("        %s,\n" % row for row in rows)
    return (
        "@pytest.mark.parametrize(\n    (%s),\n    [\n%s    ],\n)\ndef test_%s_%d(%s, %s):\n"
        "    assert %s(%s) == %s\n"
    ) % (
        ", ".join('"%s"' % name for name in [*names, wanted]),
        marks,
        function,
        count,
        given,
        wanted,
        function,
        given,
        wanted,
    )


def _plain(test, case):
    fixture = "readings" if "readings" in case.steps[-1] else ""
    steps = "".join("    %s\n" % step for step in case.steps[:-1])
    last = case.steps[-1]
    if case.raises:
        last = "    with pytest.raises(%s):\n        %s\n" % (case.raises, last)
    else:
        sign = "is" if case.wanted in ("True", "False", "None") else "=="
        last = "    assert %s %s %s\n" % (last, sign, case.wanted)
    return "def %s(%s):\n%s%s" % (test, fixture, steps, last)
