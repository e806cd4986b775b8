"""The templates: parts of modules with cases for them and bugs that people make in them.

A part is `=== name`, lines of `variable: choices`, `port TYPE: function extra=choices` (what other
modules may call, with one argument of that type), `uses: module.function`, `calls: TYPE TYPE`, and
sections `--- code`, `--- cases` (f-strings over Draws; `;;` parts statements) and `--- bug KIND`
("-" lines become "+" lines, `@@` parts hunks).  In all of them $variable is filled in, and @1(x)
becomes a call of the first function of another module.
"""

import re
from pathlib import Path
from string import Template

WORDS = (
    "amber anchor apple arrow autumn basin beacon birch bottle bridge candle canyon cedar chalk"
    " cloud clover copper coral cotton crane delta eagle ember falcon fern field flint forest"
    " garden ginger granite harbor hazel heron honey island ivory jasper juniper kettle lantern"
    " lemon lily linen maple marble meadow mint nutmeg oak olive onyx orchid pearl pebble pepper"
    " pine plum quartz raven river saddle sage silver slate spruce stone sugar tea thistle timber"
    " tulip velvet violet walnut willow winter"
).split()


class Part:
    """One template.  types: of what it calls.  ports: (type, function, {extra: choices}, needed) of
    what others call."""

    def __init__(self, name):
        self.name = name
        self.variables, self.ports, self.uses, self.types = {}, [], [], []
        self.code, self.cases, self.bugs = "", [], []

    def head(self, line):
        key, _, value = line.partition(":")
        if key == "uses":
            self.uses.append(value.strip())
        elif key == "calls":
            self.types = value.split()
        elif key.startswith("port "):
            function, *extras = value.split()
            needed = "required" in extras
            pairs = [extra.split("=") for extra in extras if "=" in extra]
            extras = {extra: choices.split("|") for extra, choices in pairs}
            self.ports.append((key[5:], function, extras, needed))
        else:
            self.variables[key] = value.split()


def read(folder):
    """All parts of the .txt files of a folder, by file and name."""
    found = {}
    for file in sorted(Path(folder).glob("*.txt")):
        parts = found[file.stem] = []
        section, bug = "", None
        for line in file.read_text("utf-8").splitlines():
            if line.startswith("=== "):
                parts.append(Part(line[4:]))
                section = ""
            elif line.startswith("--- "):
                section = line[4:]
                if section.startswith("bug "):
                    bug = [["", ""]]
                    parts[-1].bugs.append((section[4:], bug))
            elif not section:
                parts[-1].head(line)
            elif section == "code":
                parts[-1].code += line + "\n"
            elif section == "cases":
                parts[-1].cases.append(line)
            elif line == "@@":
                bug.append(["", ""])
            else:
                bug[-1]["-+".index(line[0])] += line[1:] + "\n"
        for part in parts:
            part.code = part.code.rstrip("\n") + "\n"
            part.functions = len(re.findall(r"^ *def (?!__)", part.code, re.MULTILINE))
    return found


def filled(text, values, calls=()):
    """A template's text with its variables, and its calls as (function, extra arguments)."""
    text = Template(text).substitute(values)
    for number, (function, extra) in enumerate(calls, 1):
        mark = "@%d(" % number
        while mark in text:
            start = text.index(mark)
            end, depth = start + len(mark), 1
            while depth:
                depth += {"(": 1, ")": -1}.get(text[end], 0)
                end += 1
            inner = text[start + len(mark) : end - 1]
            text = text[:start] + function + "(" + inner + extra + ")" + text[end:]
    return text


class Draws:
    """What a line of cases may draw.  What ends up in a call is source text."""

    def __init__(self, chance):
        self.chance = chance

    def of(self, line):
        """One case of a line: its statements and, last, the expression."""
        names = {name: getattr(self, name) for name in dir(self) if name[0] != "_"}
        drawn = eval("f'''" + line + " '''", names)
        return tuple(statement.strip() for statement in drawn.split(";;"))

    def num(self, low, high):
        return self.chance.randint(low, max(low, high))

    def pick(self, *choices):
        return self.chance.choice(choices)

    def name(self, start=""):
        return start + self.chance.choice(WORDS)

    def word(self):
        return repr(self.name())

    def words(self, count):
        return repr([self.name() for _ in range(count)])

    def ints(self, count, low=0, high=60):
        return repr([self.chance.randint(low, high) for _ in range(count)])

    def text(self, count):
        marks = [self.chance.choice(["", "", "", "", ",", "."]) for _ in range(count)]
        return repr(" ".join(self.name() + mark for mark in marks))

    def title(self):
        words = [self.name().title() for _ in range(self.chance.randint(1, 3))]
        return repr(self.chance.choice([" ", ", ", " & "]).join(words) + self.pick("", "", "!"))

    def formula(self, count):
        terms = [self.pick(self.name(), self.name() + "_1", "7", "42") for _ in range(count)]
        return repr(self.pick(" + ", "+", " * ", "+ ").join(terms))

    def amount(self):
        count = self.chance.randint(1, 9)
        return repr(self.pick("%dh" % count, "%d 4 +" % count, "1h %dm" % count, self.name()))

    def runs(self, count):
        return repr("".join(self.pick(*"abcxyz") * self.num(1, 4) for _ in range(count)))

    def code(self, weights, count):
        weights = [int(weight) for weight in weights.split(",")]
        digits = [self.chance.randint(0, 9) for _ in range(count)]
        total = sum(d * weights[at % len(weights)] for at, d in enumerate(digits))
        return "".join(map(str, digits)) + str(-total % 10)

    def pairs(self, count):
        starts = [self.chance.randint(0, 40) for _ in range(count)]
        return repr([(start, start + self.chance.randint(1, 9)) for start in starts])

    def table(self, height, width, high=9):
        row = range(width)
        return repr([[self.chance.randint(0, high) for _ in row] for _ in range(height)])

    def graph(self, count):
        places = "abcdefgh"[:count]
        links = {}
        for at, place in enumerate(places):
            others = [other for other in places[max(0, at - 1) : at + 3] if other != place]
            links[place] = sorted(self.chance.sample(others, min(2, len(others))))
        return repr(links)

    def needs(self, count):
        steps = "abcdefgh"[:count]
        found = {}
        for at, step in enumerate(steps):
            found[step] = sorted(self.chance.sample(steps[:at], min(at, self.num(0, 2))))
        return repr(found)
