"""The modules of a repository: which parts each has, what it calls, and the cases for it."""

import re
from pathlib import Path

from repository import templates
from repository.world import PACKAGE, Case, World, name_of

NOUNS = (
    "invoice order parcel payment customer article basket voucher refund supplier contract ticket"
    " shipment label tariff budget account warehouse rack driver vehicle route_plan schedule"
    " holiday absence pension wage meeting room event visitor member course lesson exam survey"
    " forecast report alert sensor meter cable filter valve recipe menu table guest booking"
    " cabin barge station platform signal crossing harvest orchard seedling paddock stable"
).split()
KINDS = (
    "late open daily weekly local foreign bulk single partial final early regular special spare"
    " urgent frozen shared private public regional seasonal returned pending archived combined"
).split()
FOLDER = Path(__file__).parent
DEPTH = 3  # of calls through modules
SMALL = 8  # a repository of fewer modules has no shared ones


class Module:
    """One module.  bugs: (kind, part, [(old, new)]).  lines: (part, line of cases).
    ports: (type, function, {extra: value}, needed, depth)."""

    def __init__(self, path):
        self.path, self.name = path, name_of(path)
        self.text = ""
        self.parts, self.ports, self.bugs, self.lines = [], [], [], []
        self.imports, self.calls, self.cases, self.said = set(), [], [], set()


class Repository:
    """count: of modules.  chance: a random.Random, from which all comes."""

    def __init__(self, count, chance):
        self.chance, self.draws = chance, templates.Draws(chance)
        parts = templates.read(FOLDER)
        self.joints, shared = parts.pop("joints"), parts.pop("shared")
        self.parts = [part for name in sorted(parts) for part in parts[name]]
        self.modules, self.texts, self.deck = [], {}, []
        folders = {PACKAGE: "A shop."}
        if count >= SMALL:
            for part in shared[: 2 if count < 50 else len(shared)]:
                self.modules.append(self.of_parts(part.name.replace(".", "/"), [part], {}))
            folders["%s/core" % PACKAGE] = "What all parts of the shop use."
        self.shared = {module.name for module in self.modules}
        left = count - len(self.modules)
        for number in range(-(-left // len(KINDS))):
            noun = NOUNS[number % len(NOUNS)] + "_more" * (number // len(NOUNS))
            kinds = chance.sample(KINDS, len(KINDS))[: left - number * len(KINDS)]
            folders["%s/%ss" % (PACKAGE, noun)] = "All about %ss." % noun.replace("_", " ")
            for kind in kinds:
                self.modules.append(self.one(noun, kind))
        for folder, said in folders.items():
            self.texts[folder + "/__init__.py"] = '"""%s"""\n' % said
        self.texts.update({module.path: module.text for module in self.modules})
        self.by_name = {module.name: module for module in self.modules}
        self.world = World(self.texts)

    def one(self, noun, kind):
        """A module of one or two parts and, often, a joint that calls other modules."""
        parts = []
        while not parts or sum(part.functions for part in parts) < 3:
            parts.append(self.dealt(parts))
        if self.chance.random() < 0.35:
            parts.append(self.dealt(parts))
        calls = ()
        if self.chance.random() < 0.6:
            joint = self.chance.choice(self.joints)
            calls = self.callees(joint, noun)
            if calls:
                parts.append(joint)
        path = "%ss/%s_%s" % (noun, kind, parts[0].name)
        full = "%s_%s" % (kind, noun)
        values = {"noun": full, "NOUN": full.upper(), "Noun": _camel(full)}
        return self.of_parts(path, parts, values, calls)

    def dealt(self, besides):
        """A part at random, all of them before any comes again."""
        for _ in range(2 * len(self.parts)):
            if not self.deck:
                self.deck = self.chance.sample(self.parts, len(self.parts))
            part = self.deck.pop()
            at_hand = all(self.at_hand(used) for used in part.uses)
            if at_hand and part not in besides:
                return part
        raise ValueError("there are no more parts")

    def at_hand(self, used):
        return "%s.%s" % (PACKAGE, used.rpartition(".")[0]) in {m.name for m in self.modules}

    def callees(self, joint, noun):
        """A module and a port of it for each call of a joint; () where there are none."""
        found = []
        for wanted in joint.types:
            near = [m for m in self.modules if m.path.startswith("%s/%ss/" % (PACKAGE, noun))]
            for modules in self.chance.sample([near, self.modules], 2):
                some = [
                    (module, port)
                    for module in modules
                    for port in module.ports
                    if port[0] == wanted and port[-1] < DEPTH
                ]
                if some:
                    found.append(self.chance.choice(some))
                    break
        return found if len(found) == len(joint.types) and joint.types else ()

    def of_parts(self, path, parts, values, calls=()):
        module = Module("%s/%s.py" % (PACKAGE, path))
        module.parts, values = parts, dict(values)
        imports, heads, called = [], [], []
        for used in sorted({used for part in parts for used in part.uses}):
            owner, _, function = used.rpartition(".")
            values[function] = self.imported(module, "%s.%s" % (PACKAGE, owner), function, imports)
        for number, (callee, port) in enumerate(calls):
            function = self.imported(module, callee.name, port[1], imports)
            extra = ""
            for key, choice in port[2].items():
                name = "%s_%s_%s" % (values["NOUN"], parts[-1].name.upper(), key.upper())
                name += "_%d" % number if number else ""
                heads.append("%s = %s\n" % (name, choice))
                named = self.chance.random() < 0.6
                extra += ", %s=%s" % (key, name) if named else ", %s" % name
            called.append((function, extra))
            module.calls.append((callee.name, port[1], extra, port[3]))
        depth = 1 + max((port[-1] for _, port in calls), default=0)
        bodies = []
        for part in parts:
            mine = dict(values)
            for name, choices in part.variables.items():
                mine[name] = self.chance.choice(choices)
            mine["name"] = mine.get("noun", "")
            own = called if part in self.joints else ()
            bodies.append(templates.filled(part.code, mine, own))
            for kind, hunks in part.bugs:
                filled = [[templates.filled(text, mine, own) for text in hunk] for hunk in hunks]
                module.bugs.append((kind, part, filled))
            module.lines += [(part, templates.filled(line, mine)) for line in part.cases]
            for type_, function, extras, needed in part.ports:
                extras = {key: self.chance.choice(some) for key, some in extras.items()}
                far = depth if own else 1
                module.ports.append((type_, templates.filled(function, mine), extras, needed, far))
        for (function, extra), (_, port) in zip(called, calls):
            if extra and port[3]:
                module.bugs += _less(bodies[-1], parts[-1], function, extra)
        of = values.get("noun", "all_module").replace("_", " ") + "s"
        head = '"""%s, for %s."""\n' % (" and ".join(part.name for part in parts).title(), of)
        head += "\n" + "".join(sorted(set(imports))) if imports else ""
        head += "\n" + "".join(heads) if heads else ""
        module.text = head + "".join(
            ("\n" if body[0].isupper() or body[0] == "#" else "\n\n") + body for body in bodies
        )
        module.text = re.sub(r"\n{4,}", "\n\n\n", module.text)
        return module

    def imported(self, module, owner, function, imports):
        """How a function of another module is called here; adds to the imports."""
        module.imports.add(owner)
        package, _, last = owner.rpartition(".")
        style = self.chance.random()
        here = "%s import %s" % (package, last)
        taken = any(line.endswith(" import %s\n" % last) and here not in line for line in imports)
        if style < 0.3 and not taken and last not in ("text", "numbers", "dates", "sequences"):
            imports.append("from %s\n" % here)
            return "%s.%s" % (last, function)
        if style < 0.45:
            alias = owner[len(PACKAGE) + 1 :].replace(".", "_")
            imports.append("import %s as %s\n" % (owner, alias))
            return "%s.%s" % (alias, function)
        relative = ".." + owner[len(PACKAGE) + 1 :]
        imports.append("from %s import %s\n" % (relative if style > 0.8 else owner, function))
        return function

    def draw(self, module, lines):
        """A new case of a module, or None if all that is drawn was said before."""
        for _ in range(12):
            part, line = self.chance.choice(lines)
            case = Case(module.name, part, self.draws.of(line))
            if case.steps not in module.said and self.world.answer(case):
                module.said.add(case.steps)
                return case
        return None

    def test(self, count):
        """Cases for all modules, at least one for each, `count` in all if there are so many."""
        for module in self.modules:
            module.cases.append(self.draw(module, module.lines))
        self.fill(count)

    def fill(self, count, besides=()):
        left = count - sum(len(module.cases) for module in self.modules)
        some = [module for module in self.modules if module not in besides] or self.modules
        while left > 0 and some:
            module = self.chance.choice(some)
            case = self.draw(module, module.lines)
            if case is None:
                some.remove(module)
                continue
            module.cases.append(case)
            left -= 1

    def trim(self, count, besides):
        """As many cases as wanted: others come or go, but not those of some modules."""
        self.fill(count, besides)
        some = [module for module in self.modules if module not in besides]
        while sum(len(module.cases) for module in self.modules) > count and some:
            module = self.chance.choice(some)
            if len(module.cases) > 1:
                module.cases.pop()
            else:
                some.remove(module)

    def reaching(self, module):
        """The modules that import a module, and those that import them, with itself."""
        found, names = [], {module.name}
        for other in self.modules:  # in order of import
            if other is module or other.imports & names:
                names.add(other.name)
                found.append(other)
        return found


def _less(body, part, function, extra):
    """The bugs of a caller that does not know of a parameter, or mixes two up."""
    bugs = []
    for line in body.splitlines(True):
        if function + "(" in line and line.count(extra + ")") == 1 and body.count(line) == 1:
            new = line.replace(extra + ")", ")")
            bugs.append(("argument missing at a call across modules", part, [[line, new]]))
    return bugs


def _camel(name):
    return "".join(word.title() for word in name.split("_"))
