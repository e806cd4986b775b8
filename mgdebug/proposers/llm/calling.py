"""The child that talks to models: the only code that imports litellm, which takes seconds.

Run as `python -m mgdebug.proposers.llm.calling`.  Requests come as lines of JSON: {"id", "model",
"messages", "seconds", "stream"?, "tokens"?, "temperature"?, "seed"?, "api_base"?, "schema"?}; a
schema counts where the model keeps to one.  For each it says {"id", "part"} while the reply
streams, then {"id", "text", "finish", "prompt", "completion", "cost"} or {"id", "fault", "status",
"message", "wait"}.  {"price": model} is answered with what its tokens cost.  Requests run side by
side; whoever started this kills it to abandon them.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from typing import IO, Any

MOST = 400_000  # characters of a reply
TOO_LONG, EMPTY = "TooLong", "Empty"


class _Child:
    def __init__(self, out: IO[str], litellm: Any) -> None:
        self._out, self._litellm = out, litellm
        self._lock = threading.Lock()

    def serve(self, lines: Iterator[str]) -> None:
        for line in lines:
            asked = json.loads(line)
            if "price" in asked:
                self._say({"price": asked["price"], **self._price(asked["price"])})
                continue
            threading.Thread(target=self._answer, args=(asked,), daemon=True).start()

    def _say(self, what: Mapping[str, Any]) -> None:
        with self._lock:
            self._out.write(json.dumps(what) + "\n")
            self._out.flush()

    def _price(self, model: str) -> dict[str, Any]:
        """US dollars for a token of a prompt and of a reply; none where nobody knows them."""
        try:
            known = self._litellm.get_model_info(model)
        except Exception:  # litellm raises a bare one for a model that it does not know
            return {"prompt": None, "completion": None}
        return {
            "prompt": known.get("input_cost_per_token"),
            "completion": known.get("output_cost_per_token"),
        }

    def _answer(self, asked: Mapping[str, Any]) -> None:
        id = asked["id"]
        try:
            self._say({"id": id, **self._reply(asked)})
        except Exception as error:  # whatever litellm and its many clients raise
            self._say({"id": id, **_fault(error)})

    def _reply(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        options = {
            "max_tokens": asked.get("tokens"),
            "temperature": asked.get("temperature"),
            "seed": asked.get("seed"),
            "api_base": asked.get("api_base"),
            "response_format": self._format(asked),
        }
        streamed = bool(asked.get("stream", True))
        if streamed:
            options["stream_options"] = {"include_usage": True}
        # Left out here: where litellm drops what a provider does not know, it asks twice.
        known = self._litellm.get_supported_openai_params(model=asked["model"]) or ()
        stream = self._litellm.completion(
            model=asked["model"],
            messages=asked["messages"],
            timeout=asked["seconds"],
            num_retries=0,
            max_retries=0,
            stream=streamed,
            **{
                name: value
                for name, value in options.items()
                if value is not None and (name in known or name == "api_base")
            },
        )
        parts: list[str] = []
        finish, usage, length = "", None, 0
        for chunk in stream if streamed else [stream]:
            usage = getattr(chunk, "usage", None) or usage
            for choice in chunk.choices[:1]:
                finish = choice.finish_reason or finish
                part = (choice.delta if streamed else choice.message).content or ""
                if part:
                    parts.append(part)
                    length += len(part)
                    self._say({"id": asked["id"], "part": part})
            if length > MOST:
                return {"fault": TOO_LONG, "status": None, "message": f"over {MOST} characters"}
        text = "".join(parts)
        if not text.strip():
            return {"fault": EMPTY, "status": None, "message": f"no text; it ended with {finish!r}"}
        prompt = getattr(usage, "prompt_tokens", None)
        completion = getattr(usage, "completion_tokens", None)
        return {
            "text": text,
            "finish": finish,
            "prompt": prompt,
            "completion": completion,
            "cost": self._cost(asked["model"], prompt or 0, completion or 0),
        }

    def _format(self, asked: Mapping[str, Any]) -> dict[str, Any] | None:
        """That a reply keeps to a schema, where the model is known to."""
        schema = asked.get("schema")
        if schema is None or not self._litellm.supports_response_schema(model=asked["model"]):
            return None
        shape = {"name": "reply", "strict": True, "schema": schema}
        return {"type": "json_schema", "json_schema": shape}

    def _cost(self, model: str, prompt: int, completion: int) -> float | None:
        try:
            prices = self._litellm.cost_per_token(
                model=model, prompt_tokens=prompt, completion_tokens=completion
            )
            return float(sum(prices))
        except Exception:  # a model without a known price
            return None


def _fault(error: Exception) -> dict[str, Any]:
    """A fault by the name of its class, and how long the server asked to wait (seconds)."""
    response = getattr(error, "response", None)
    wait = None
    with contextlib.suppress(AttributeError, TypeError, ValueError):
        wait = float(response.headers.get("retry-after")) if response is not None else None
    status = getattr(error, "status_code", None)
    return {
        "fault": type(error).__name__,
        "status": status if isinstance(status, int) else None,
        "message": str(error)[:2000],
        "wait": wait,
    }


def _main() -> None:
    # litellm and its clients print; what goes to this pipe is protocol.
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", errors="replace")
    os.dup2(sys.stderr.fileno(), 1)
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # no connection that nobody asked for
    import httpx
    import litellm

    # A redirection would send the prompt to a host that nobody was asked about.
    litellm.client_session = httpx.Client(follow_redirects=False)
    litellm.suppress_debug_info = True
    litellm.telemetry = False
    _Child(out, litellm).serve(iter(sys.stdin.readline, ""))


if __name__ == "__main__":
    _main()
