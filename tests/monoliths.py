"""Functions that are too large, each `run(xs, n, text)`, for the tests of outlining; and random
programs that take every turn a function can take."""

from __future__ import annotations

import random

MONOLITHS = {
    "a loop left in every way": """
def run(xs, n, text):
    total, seen = 0, []
    for x in xs:
        if x < 0:
            continue
        if x > 18:
            break
        y = x * n
        if y == 13 or x == 7:
            return "unlucky", y, seen
        while y > 3:
            y -= 2
            seen.append(y)
            if y % 5 == 4:
                break
        else:
            seen.append("else")
        total += y
        if total > 30:
            xs.append(total)
            return
    else:
        total = -total
    seen.append(text)
    return total, seen
""",
    "a scanner": '''
def run(xs, n, text):
    """Words and numbers."""
    found, depth, at = [], 0, 0
    while at < len(text):
        c = text[at]
        if c == "(":
            depth += 1
            at += 1
            continue
        elif c in " ,":
            at += 1
            continue
        elif c.isdigit() or c == "-":
            start = at
            at += 1
            while at < len(text) and text[at].isdigit():
                at += 1
            found.append((depth, int(text[start:at])))
        else:
            word = ""
            while True:
                word += text[at]
                at += 1
                if at == len(text) or not text[at].isalpha():
                    break
            found.append((depth, word))
    if depth > 2:
        raise ValueError(f"deep: {depth}", found)
    print(f"""{len(found)}
  found""")
    return found
''',
    "tries in tries": """
def run(xs, n, text):
    log = []
    for x in xs:
        try:
            log.append(("try", x))
            y = 10 // x
            if y == 5:
                continue
            if y == 3:
                return "three", log
            log.append(y)
        except ZeroDivisionError as error:
            log.append(type(error).__name__)
            try:
                log.append(xs[n])
                if xs[n] == x:
                    raise
                log.append("again")
            except IndexError as inner:
                log.append(str(inner))
                text += "!"
                raise KeyError(text) from error
            finally:
                log.append("inner")
                n += 1
                log.append(n)
        else:
            log.append("else")
            text = text + str(y)
            log.append(text)
        finally:
            log.append("finally")
            print(x, len(log))
            log.append(n)
            if x == 11:
                break
    return log, text, n
""",
    "a return in a try": """
def run(xs, n, text):
    state = ["open"]
    try:
        for x in xs:
            if x == n:
                state.append(x)
                x += 1
                return x, state
            state.append(-x)
            n -= 1
            if n < -2:
                raise ValueError(n, text)
        state.append("end")
        xs.sort()
        return state
    finally:
        state.append("closed")
        xs.append(len(state))
        print(state)
""",
    "a match": """
def run(xs, n, text):
    out = []
    for item in [xs, n, text, {"n": n, "x": xs}, (n, text)]:
        match item:
            case [first, *rest] if rest:
                out.append(first)
                first += len(rest)
                out.append((first, rest))
            case {"n": number, **others}:
                out.append(number)
                others = sorted(others)
                out.append(others)
            case int(number) | [number]:
                number += 1
                if number == 4:
                    break
                out.append(number)
                out.append("number")
            case str() as word if word:
                word = word.upper()
                out.append(word)
                if "A" in word:
                    continue
                out.append(len(word))
            case _:
                out.append(None)
                n += 1
                out.append(n)
    return out
""",
    "walrus and comprehensions": """
def run(xs, n, text):
    out = []
    if (size := len(xs)) > 2:
        out.append(size)
        n = n or 1
        half = [x * n for x in xs if (last := x) > 0]
        out.append(half)
        if half:
            out.append(last)
            total = sum(x + n for x in half)
            out.append(total)
    while (n := n - 1) > 0:
        pairs = {x: [y for y in xs if y > x] for x in xs[:n]}
        size += len(pairs)
        if any(x == n for x in pairs):
            out.append(pairs)
            break
        out.append(size)
    out.append(sorted({c for c in text} | {str(n)}))
    first, *middle = [*xs, n, size]
    out += [first, middle, n]
    return out
""",
    "managers": """
from contextlib import contextmanager, suppress

@contextmanager
def noted(log, word):
    log.append(word)
    try:
        yield word + "!"
    finally:
        log.append("not " + word)

def run(xs, n, text):
    log = []
    value = None
    for x in xs:
        with noted(log, str(x)) as word, suppress(ValueError):
            log.append(word)
            y = x + n
            log.append(y)
            if y == 4:
                break
            if y == 5:
                return "five", log
            if y > 20:
                raise ValueError(y)
            value = y * 2
            log.append(value)
        log.append(value)
    with suppress(KeyError):
        log.append("a")
        n += 1
        log.append({}[text])
    log.append(n)
    return log, value
""",
    "changes of what is passed": """
def run(xs, n, text):
    groups = {}
    for index in range(len(xs)):
        for other in range(len(xs) - 1 - index):
            if xs[other] > xs[other + 1]:
                keep = xs[other]
                xs[other] = xs[other + 1]
                xs[other + 1] = keep
    for x in xs:
        key = x % 3
        if key not in groups:
            groups[key] = []
            groups[key].append("new")
        groups[key].append(x)
        n += key
    del xs[:2]
    xs.append(n)
    count = n
    while count > 0 and xs:
        count -= 4
        xs.pop()
    groups[text] = n
    return groups
""",
    "a generator": """
def items(xs, n, text):
    total = 0
    for x in xs:
        total += x
        if total > 15:
            total -= 15
            text += "-"
            n += 1
        sent = yield total
        if sent:
            total += sent
            n = total
            text = text + "+"
        if n > 9:
            text += "."
            total = n
            return text, total
    yield text
    total = total or n
    text = text * 2
    n = len(text)
    return text, total, n

def run(xs, n, text):
    found, steps = [], items(xs, n, text)
    try:
        found.append(next(steps))
        while True:
            found.append(steps.send(len(found) % 3))
    except StopIteration as end:
        found.append(end.value)
    return found
""",
    "closures": """
def run(xs, n, text):
    keys = []
    step = n % 4

    def weigh(x):
        local = x + step
        if local % 2:
            keys.append(local)
            local *= 3
            return local
        local -= 1
        keys.append(-local)
        return local

    out = sorted(xs, key=weigh)
    out.append(step)
    out.append(len(keys))
    late = []
    for x in xs:
        late.append(lambda: x)
        n += 1
        out.append(n)
    out += [f() for f in late]
    out.append(text)
    return out, keys
""",
    "a recursion of closures": """
def run(xs, n, text):
    limit = max(n, 3)
    order = []

    def walk(low, high, depth):
        if depth > limit:
            order.append("deep")
            return 0
        total = 0
        if high - low > 1:
            middle = (low + high) // 2
            total += walk(low, middle, depth + 1)
            order.append(middle)
            total += walk(middle, high, depth + 1)
        elif high > low:
            total = xs[low]
            order.append(text)
            total += depth
        return total

    result = walk(0, len(xs), 0)
    order.append(result)
    return result, order
""",
    "methods": """
class Account:
    fee = 1

    def __init__(self, n):
        self.balance = n
        self.__log = []

    def move(self, amounts, text="", *more, **named):
        moved = 0
        for amount in (*amounts, *more):
            fee = self.fee
            if amount < 0:
                fee += 1
                self.__log.append(text)
            if self.balance + amount - fee < 0:
                self.__log.append("refused")
                raise ValueError(self.balance, amount)
            self.balance += amount - fee
            moved += 1
            named[text] = moved
        self.fee = moved
        done = sorted(named.items())
        self.last = done
        return done, self.__log

def run(xs, n, text):
    account = Account(n)
    try:
        return account.move(xs, text, n, note=1), vars(account)
    except ValueError as error:
        return error.args, vars(account)
""",
    "a coroutine": """
class Pause:
    def __await__(self):
        yield "paused"
        return 2

async def work(xs, n, text):
    total = await Pause()
    for x in xs:
        total += x
        if total > 12:
            total -= n
            text += "x"
            if total == 14:
                return total
        total += 1
        n += total % 2
    total += await Pause()
    out = [total, n]
    out.append(text)
    out.reverse()
    return out

def run(xs, n, text):
    waiting, seen = work(xs, n, text), []
    try:
        while True:
            seen.append(waiting.send(None))
    except StopIteration as end:
        return seen, end.value
""",
    "loops with else": """
def run(xs, n, text):
    primes = []
    for x in xs:
        for y in range(2, x):
            if x % y == 0:
                n += 1
                break
        else:
            primes.append(x)
            n -= 1
            if len(primes) > 3:
                text += "many"
                break
            if n == 0:
                text += "zero"
                continue
            text += str(x)
        primes.append(n)
    else:
        primes.append("none left")
        n = 0
        text += "."
    return primes, n, text
""",
    "names that may be unbound": """
x = "global"

def run(xs, n, text):
    if n > 3:
        x = n
        n += 1
        text += "bound"
    for i in xs:
        last = i
        text += str(i)
        n += last
    text += str(x)
    n += last
    if text.startswith("a"):
        del x
        text = ""
        n = 0
    return text, n, x
""",
    "names of exceptions": """
def run(xs, n, text):
    error = "before"
    out = []
    for x in xs:
        try:
            if x == n:
                raise KeyError(x)
            out.append(10 % x)
            text += "ok"
        except (KeyError, ZeroDivisionError) as error:
            out.append(error.args)
            text += type(error).__name__
            if x == 3:
                break
            out.append(text)
    out.append(n)
    text += "end"
    out.append(text)
    return out, error
""",
    "line ends of all kinds": (
        "def run(xs, n, text):\r\n\tout = []\r\n\tfor x in xs:  # é\r\n\t\tif x > n: \\\r\n"
        '\t\t\tcontinue\r\n\t\tout.append("""é\r\n""")\r\n\t\tn += 1; out.append(n)\r\n'
        "\t\tout.append(x)\r\n\t\t# why\r\n\r\n\t\ttext += (\r\n'ü')\r\n\tout.append(text)\r\n"
        "\tout.append(n)\r\n\treturn out"
    ),
}

PRELUDE = """
class Err(Exception):
    pass

class Stop(BaseException):
    pass

trace, kept, turns = [], [], [0]

def told(x):
    return x if isinstance(x, (int, tuple, type(None))) else type(x).__name__

def tick():
    turns[0] += 1
    if turns[0] > 60:
        raise Stop

def log(x):
    tick()
    trace.append(told(x))
    return x

def may(x):
    tick()
    if isinstance(x, int) and x % 4 == 3:
        raise Err(x)
    return x

def keep(x):
    tick()
    kept.append(x)
    return 1

def late():
    tick()
    return kept[-1]() if kept else 0

def fuel(x):
    tick()
    return x

class swallow:
    def __enter__(self):
        return 2
    def __exit__(self, kind, *_):
        return kind is not None and issubclass(kind, Err)

class plain:
    def __enter__(self):
        return 1
    def __exit__(self, *_):
        return False
"""


class Program:
    """A random function `run(a, b, c)`, deaf to sense: it reads what is unbound, leaves loops from
    anywhere, and is stopped after sixty turns."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.captures = self.random.random() < 0.2
        self.yields = self.random.random() < 0.15
        self.defined = 0
        bound = [f"    {name} = {self._number()}" for name in "abcde" if self._chance(0.6)]
        body = self._suite(1, 3, False) + self._suite(1, 3, False)
        self.text = "\n".join(["def run(a, b, c):", *bound, *body]) + "\n"

    def _chance(self, share: float) -> bool:
        return self.random.random() < share

    def _number(self, most: int = 3) -> str:
        return str(self.random.randint(0, most))

    def _name(self) -> str:
        return self.random.choice("abcde")

    def _value(self, depth: int = 2) -> str:
        if depth == 0 or self._chance(0.35):
            return self._name() if self._chance(0.75) else self._number()
        one, two, three = (self._value(depth - 1) for _ in range(3))
        name, other = self.random.sample("abcde", 2)
        shapes = [
            *[f"({one} + {two})", f"may({one})"] * 3,
            *[f"log({one})", f"({name} := {one})"] * 2,
            f"({one} and {two})",
            f"({one} if {two} else {three})",
            f"({one} < {two} < {three})",
            f"sum([{name} + {self._name()} for {name} in range({self._number()})])",
            f"sum({name} + {self._name()} for {name} in range({self._number()}))",
            f"sum([({name} := {other} + 1) for {other} in range({self._number()})])",
            "late()",
        ]
        if self.captures:
            shapes.append(f"keep(lambda: {self._name()} + {self._number()})")
        return self.random.choice(shapes)

    def _suite(self, level: int, depth: int, loop: bool) -> list[str]:
        count = self.random.choice([1, 2, 2, 3, 4])
        return [line for _ in range(count) for line in self._statement(level, depth, loop)]

    def _statement(self, level: int, depth: int, loop: bool) -> list[str]:
        pad = "    " * level
        if depth == 0 or self._chance(0.4):
            return [pad + line for line in self._simple(loop)]

        def arm(head: str, more: int = 1, inside: bool = loop) -> list[str]:
            suite = self._suite(level + more, depth - 1, inside)
            return ["    " * (level + more - 1) + head + ":", *suite]

        kind = self.random.choice("iiiffwttTm" + "W")
        if kind == "i":
            lines = arm(f"if {self._value()}")
            while self._chance(0.3):
                lines += arm(f"elif {self._value()}")
            return lines + (arm("else") if self._chance(0.5) else [])
        if kind == "f":
            lines = arm(f"for {self._name()} in range({self._number()})", inside=True)
            return lines + (arm("else") if self._chance(0.3) else [])
        if kind == "w":
            head = self.random.choice(["True", *[f"fuel({self._value()})"] * 3])
            lines = arm(f"while {head}", inside=True)
            lines.insert(1, pad + "    tick()")
            return lines + (arm("else") if self._chance(0.3) else [])
        if kind == "W":
            name = f" as {self._name()}" if self._chance(0.5) else ""
            return arm(f"with {self.random.choice(['swallow', 'plain'])}(){name}")
        if kind == "m":
            value, name = self._value(1), self._name()
            first = self.random.choice(["0", "1 | 2", f"int() as {name}", f"{name} if {value}"])
            second = self.random.choice(["_", "3"])
            match = [f"{pad}match {self._value()}:"]
            return match + arm(f"case {first}", 2) + arm(f"case {second}", 2)
        lines = arm("try")
        if kind == "t":
            errors = self.random.choice(["Err", "(Err, NameError)", "Exception"])
            name = f" as {self._name()}" if self._chance(0.5) else ""
            lines += arm(f"except {errors}{name}")
            lines += arm("except NameError") if self._chance(0.3) else []
            lines += arm("else") if self._chance(0.3) else []
        return lines + (arm("finally") if kind == "T" or self._chance(0.3) else [])

    def _simple(self, loop: bool) -> list[str]:
        one, two = self._value(), self._value()
        shapes = [
            *[[f"{self._name()} = {one}"]] * 18,
            *[[f"{self._name()} += {one}"], [f"log({one})"]] * 4,
            *[[f"{self._name()}, {self._name()} = {one}, {two}"]] * 2,
            *([["break"], ["continue"]] * 2 if loop else []),
            *[[f"return {one}"], ["return"], [f"return {one}, {two}"], [f"raise Err({one})"]],
            *[["raise"], [f"del {self._name()}"], [f"{self._name()}: int"], ["pass"]],
        ]
        if self.yields:
            shapes += [[f"{self._name()} = yield {one}"]] * 2
        if self.captures:
            self.defined += 1
            name = f"g{self.defined}"
            shapes += [[f"def {name}():", f"    return {self._name()}", f"keep({name})"]] * 2
        return self.random.choice(shapes)
