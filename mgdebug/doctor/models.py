"""The model, if one is configured: whether there is a key, and whether somebody answers.

No code is sent, and nothing else: a connection is opened and closed.  Which variable holds the key
litellm says itself, in a child, since it takes seconds to import.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from mgdebug.doctor.check import Check, State
from mgdebug.errors import UsageError
from mgdebug.proposers import named, names
from mgdebug.proposers.llm.session import host_of
from mgdebug.settings import Loaded

CONNECT_SECONDS = 3.0
LITELLM_SECONDS = 60.0  # to import it, which a cold disk makes slow
_ASK = """
import json, os, sys
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
import litellm
litellm.suppress_debug_info = True
for model in sys.argv[1:]:
    try:
        provider, _, base = litellm.get_llm_provider(model)[1:]
        missing = litellm.validate_environment(model)["missing_keys"]
        said = {"provider": provider, "base": base, "missing": missing}
    except Exception as error:
        said = {"unknown": str(error).strip().partition("\\n")[0]}
    print(json.dumps(said), file=out, flush=True)
"""
# Where those are asked that have no address of their own in litellm's answer.
_HOSTS: Mapping[str, str] = {
    "anthropic": "https://api.anthropic.com",
    "cohere": "https://api.cohere.com",
    "cohere_chat": "https://api.cohere.com",
    "gemini": "https://generativelanguage.googleapis.com",
    "openai": "https://api.openai.com",
    "openrouter": "https://openrouter.ai",
}
_LOCAL = "ollama", "ollama_chat"


def checks(loaded: Loaded) -> Iterator[Check]:
    """One for each model; one that says so where none is configured."""
    settings = loaded.settings
    model = settings.model
    wanted = "llm" in names(settings.engine)
    if not wanted and not model.names:
        yield Check("model", State.OK, "none is configured; the search needs none")
        return
    bad = State.BROKEN if wanted else State.WARNING
    try:
        unkept = replace(settings, model=replace(model, cache=False))  # nothing is written
        for one in named(settings.engine if wanted else "llm", unkept):
            getattr(one, "close", lambda: None)()
    except UsageError as error:
        yield Check("model", bad, error.message, error.hint)
        return
    told = _told(model.names)
    for name, said in zip(model.names, told, strict=False):
        yield _check(name, said, model.api_base, bad, wanted=wanted)
    if len(told) < len(model.names):
        mend = f"{sys.executable} -c 'import litellm'"
        yield Check("model", bad, "litellm, which asks models, does not start", mend)


def _check(
    name: str, said: Mapping[str, object], api_base: str, bad: State, *, wanted: bool
) -> Check:
    unused = "" if wanted else "; not asked, since engine = search"
    if "unknown" in said:
        return Check(
            "model",
            bad,
            f"litellm knows no provider for {name}: {said['unknown']}",
            "name it with its provider, as in ollama/qwen2.5-coder",
        )
    provider = str(said.get("provider", ""))
    base = api_base or str(said.get("base") or "") or _HOSTS.get(provider, "")
    if provider in _LOCAL and not api_base:
        base = os.environ.get("OLLAMA_API_BASE", "http://localhost:11434")
    missing = said.get("missing")
    keys = [str(key) for key in missing] if isinstance(missing, list) else []
    if keys and provider not in _LOCAL:
        what = f"{name}: no key for {provider}; {' and '.join(keys)} not set{unused}"
        value = "any" if api_base else "..."  # litellm wants one even where nobody looks at it
        return Check("model", bad, what, "; ".join(f"export {key}={value}" for key in keys))
    if not base:
        where = host_of(name, api_base)
        return Check("model", State.WARNING, f"{name}: where {where} is asked is not known here")
    why = _unreachable(base)
    if why:
        mend = "ollama serve" if provider in _LOCAL else f"curl -sSI {base}"
        return Check("model", bad, f"{name}: {base} does not answer: {why}{unused}", mend)
    return Check("model", State.OK, f"{name}: {base} answers{unused}; nothing was sent")


def _told(models: tuple[str, ...]) -> list[Mapping[str, object]]:
    """What litellm says of each; fewer if it does not start."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", _ASK, *models],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LITELLM_SECONDS,
            check=False,
        )
        return [json.loads(line) for line in done.stdout.splitlines()]
    except (OSError, ValueError, subprocess.SubprocessError):
        return []


def _unreachable(base: str) -> str:
    """Why nobody listens at an address, or at the proxy on the way; "" if somebody does."""
    parts = urlsplit(base if "//" in base else f"//{base}", "https")
    proxy = getproxies().get(parts.scheme)
    if proxy and parts.hostname and not proxy_bypass(parts.hostname):
        parts = urlsplit(proxy if "//" in proxy else f"//{proxy}", "http")
    try:
        port = parts.port or {"http": 80}.get(parts.scheme, 443)
        with socket.create_connection((parts.hostname or "", port), CONNECT_SECONDS):
            return ""
    except (OSError, ValueError) as error:
        return str(getattr(error, "strerror", None) or error).lower()
