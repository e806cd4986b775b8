"""Whether a model that would be asked has its key, as far as that can be told without litellm,
which takes seconds to import."""

from __future__ import annotations

from collections.abc import Mapping

from mgdebug.proposers import names
from mgdebug.settings import Settings

HINT = "check the key in the environment"  # how the words of a call without a good key end

_HOSTED = {
    *("openai", "anthropic", "gemini", "mistral", "groq", "openrouter", "deepseek", "xai"),
    *("cohere", "together_ai", "fireworks_ai", "perplexity", "cerebras"),
}
_FIRST = {"gpt": "openai", "o1": "openai", "o3": "openai", "o4": "openai", "claude": "anthropic"}


def missing(settings: Settings, environment: Mapping[str, str]) -> str:
    """The variable of a key that the first model wants and that is not set, "" if none is known to
    be."""
    model = settings.model
    if "llm" not in names(settings.engine) or not model.names or model.api_base:
        return ""
    name = model.names[0]
    provider = name.partition("/")[0] if "/" in name else _FIRST.get(name.partition("-")[0], "")
    variable = f"{provider.upper()}_API_KEY"
    return variable if provider in _HOSTED and not environment.get(variable) else ""
