"""Which bugs are planted: each must be felt by some cases, and not by all that reach its function.

planted.json has for each bug its kind, hunks (path, first line, lines before and after the bug),
function, the cases that fail because of it alone, and checks that were held back: steps to run in
the names of a module, and what the last of them gives.
"""

import ast
import difflib

from repository.world import World

DEEP = 14  # cases of a module with a bug
HELD = 30  # checks drawn for each
MOST = 60  # cases that one bug may fail
RENAMED = "parameter renamed, callers in other modules not"
MISSING = "argument missing at a call across modules"


class Bug:
    def __init__(self, repository, module, kind, part, hunks):
        self.module, self.kind, self.part = module, kind, part
        self.text = module.text
        for old, new in hunks:
            if self.text.count(old) == 1:
                self.text = self.text.replace(old, new)
            elif self.text.count(old[:-1]) == 1:  # the beginning of a line
                self.text = self.text.replace(old[:-1], new[:-1])
            else:
                self.text = ""
                return
        self.reaching = repository.reaching(module)
        self.hunks = []
        before, after = module.text.splitlines(), self.text.splitlines()
        matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
        for what, a, b, c, d in matcher.get_opcodes():
            if what != "equal":
                self.hunks.append((c + 1, before[a:b], after[c:d]))
                self.function = _function(module.text, a + 1)
        self.failing, self.held = [], []

    def world(self, repository, others=()):
        """A world with this bug (and others), sharing what they do not touch."""
        texts = dict(repository.texts)
        touched = set()
        for bug in (self, *others):
            texts[bug.module.path] = bug.text
            touched.update(module.name for module in bug.reaching)
        shared = {
            name: module
            for name, module in repository.world.modules.items()
            if name not in touched and not hasattr(module, "__path__")
        }
        return World(texts, shared)

    def felt(self, repository, others=()):
        """(cases that fail, number of those that pass in the bug's function)."""
        world, failing, passing = self.world(repository, others), [], 0
        for module in sorted(self.reaching, key=lambda module: module.path):
            for case in module.cases:
                reached = set()
                if not world.passes(case, reached):
                    failing.append(case)
                elif not self.function or (self.module.path, self.function) in reached:
                    passing += 1
        return failing, passing


class Planting:
    """Chooses bugs: of different kinds while there are some, in different modules, which get `deep`
    cases each.  only: kinds, () for all."""

    def __init__(self, repository, deep, only=()):
        self.repository, self.deep, self.only = repository, deep, only
        self.bugs = []

    def plant(self, count):
        """The bugs; fewer where no more are felt."""
        shared = self.repository.shared
        if count >= 5 and shared and not self.only:
            helper = self.first(
                lambda module, kind: module.name in shared,
                good=lambda bug: len({case.module for case in bug.failing} - shared) >= 2,
            )
            self.bugs += [helper] if helper else []
            for special in (RENAMED, MISSING):
                bug = self.first(lambda module, kind: kind == special)  # noqa: B023
                self.bugs += [bug] if bug else []
            self.bugs += self.pair()
        while len(self.bugs) < count:
            bug = self.first(lambda module, kind: module.name not in shared)
            bug = bug or self.first(lambda module, kind: module.name not in shared, fresh=False)
            if not bug:
                break
            self.bugs.append(bug)
        return self.bugs

    def pair(self):
        """Two bugs in two modules, where some cases need both patches; [] if there are none."""
        modules = self.repository.modules
        called = {callee for module in modules for callee, *_ in module.calls}
        called -= self.repository.shared
        for _ in range(40):
            below = self.first(lambda module, kind: module.name in called)
            if not below:
                break
            users = {case.module for case in below.failing} - {below.module.name}
            if users:
                self.bugs.append(below)
                above = self.first(lambda module, kind: module.name in users, below)  # noqa: B023
                self.bugs.pop()
                if above:
                    return [below, above]
            called.discard(below.module.name)
        return []

    def first(self, wanted, below=None, good=lambda bug: True, fresh=True):
        """The first bug at random of a wanted (module, kind) that can be planted, or None.

        below: another bug that is to fail some of its cases too.  fresh: of a kind that is not
        there yet.
        """
        chance = self.repository.chance
        kinds = {bug.kind for bug in self.bugs} if fresh else ()
        taken = {bug.module for bug in self.bugs}
        for module in chance.sample(self.repository.modules, len(self.repository.modules)):
            for kind, part, hunks in chance.sample(module.bugs, len(module.bugs)):
                if module in taken or kind in kinds or (self.only and kind not in self.only):
                    continue
                if wanted(module, kind):
                    bug = self.tried(module, kind, part, hunks, below)
                    if bug and good(bug):
                        return bug
        return None

    def tried(self, module, kind, part, hunks, below):
        """A bug with more cases for its module; None, and no more cases, if it does not do."""
        bug = Bug(self.repository, module, kind, part, hunks)
        if not bug.text:
            return None
        before = list(module.cases)
        self.deepen(module, part)
        if self.does(bug, below):
            return bug
        module.cases = before
        return None

    def deepen(self, module, part):
        lines = [pair for pair in module.lines if pair[0] is part]
        while len(module.cases) < self.deep:
            few = self.repository.chance.random() < 0.3
            case = self.repository.draw(module, module.lines if few else lines)
            if case is None:
                break
            module.cases.append(case)

    def does(self, bug, below):
        bug.failing, passing = bug.felt(self.repository)
        failing = set(bug.failing)
        others = {case for other in self.bugs for case in other.failing}
        both = others & failing
        if not (failing and passing and failing - both and len(failing) <= MOST):
            return False
        if below is None and both:
            return False
        if below is not None:
            theirs = set(below.failing)
            if not (both and both <= theirs and theirs - both):
                return False
        if bug.kind == RENAMED and bug.module.name in {case.module for case in failing}:
            return False
        bug.held = _held(self.repository, bug)
        if sum(tells for _, tells in bug.held) < 3:
            return False
        near = {other.name for other in bug.reaching}
        together = set(bug.felt(self.repository, self.bugs)[0])
        # Else one bug hides another, or both do what neither does.
        return together == failing | {case for case in others if case.module in near}


def rows(repository, bugs):
    """What planted.json says, of cases that have their ids."""
    found = []
    for number, bug in enumerate(bugs, 1):
        failing, passing = bug.felt(repository)
        if not failing or not passing:
            raise ValueError("%s in %s is not felt any more" % (bug.kind, bug.module.path))
        hunks = [
            {"path": bug.module.path, "line": line, "original": before, "buggy": after}
            for line, before, after in bug.hunks
        ]
        row = {"id": number, "kind": bug.kind, "function": bug.function, "hunks": hunks}
        row["shared"] = bug.module.name in repository.shared
        row["cases"] = [case.id for case in failing]
        near = [other for other in bugs if other is not bug and set(other.failing) & set(failing)]
        row["needs"] = [bugs.index(other) + 1 for other in near]
        row["held"] = _undisturbed(repository, bug, bugs, near)
        found.append(row)
    return found


def _held(repository, bug):
    """(check, whether it fails with the bug) for checks that no test has."""
    world = bug.world(repository)
    above = {case.module for case in bug.failing} - {bug.module.name}
    lines = [(bug.module, [pair for pair in bug.module.lines if pair[0] is bug.part])] * 2
    for name in sorted(above)[:3]:
        module = repository.by_name[name]
        lines.append((module, [pair for pair in module.lines if pair[0] is module.parts[-1]]))
    held = []
    for at in range(4 * HELD):
        module, some = lines[at % len(lines)]
        case = repository.draw(module, some)
        if case is None or "readings" in case.steps[-1]:
            continue
        tells = not world.passes(case)
        if tells or len(held) < HELD:
            held.append((case, tells))
        if at >= HELD and sum(tells for _, tells in held) >= 6:
            break
    return held


def _undisturbed(repository, bug, bugs, near):
    """The checks of a bug that pass as soon as it is mended, whatever else is wrong; or as soon as
    those near it are mended too, which "with" says."""
    others = [other for other in bugs if other is not bug]
    far = [other for other in others if other not in near]
    rest = others[0].world(repository, others[1:]) if others else repository.world
    less = far[0].world(repository, far[1:]) if far else repository.world
    found = []
    for case, tells in bug.held:
        if less.passes(case):
            what = {"raises": case.raises} if case.raises else {"gives": case.wanted}
            told = {"tells": tells, "with": not rest.passes(case)}
            found.append({"module": case.module, "steps": case.steps, **what, **told})
    return found


def _function(text, line):
    """The name of the innermost function around a line, "" for none."""
    best = ""
    for node in ast.walk(ast.parse(text)):  # outer ones first
        if isinstance(node, ast.FunctionDef):
            last = max(getattr(inner, "lineno", 0) for inner in ast.walk(node))
            if node.lineno <= line <= last:
                best = node.name
    return best
