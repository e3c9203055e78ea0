"""API keys as callers write them: one or several, plain or wrapped, or in the environment."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Protocol

from zhiyipdf.models import Secret

__all__ = ["ApiKey", "SecretText", "read_keys"]

ENVIRONMENT = "ZHIYIPDF_API_KEY"


class SecretText(Protocol):
    """What pydantic's ``SecretStr`` is, without importing pydantic."""

    def get_secret_value(self) -> str:
        """Give the text away."""
        ...


OneKey = str | Secret | SecretText
ApiKey = OneKey | Sequence[OneKey]


def read_keys(
    api_key: ApiKey | None, *, environment: str | None = ENVIRONMENT
) -> tuple[Secret, ...]:
    """Wrap keys so that they do not show themselves.

    Args:
        api_key: One key or a sequence of them; a text may hold several with commas between.
        environment: The variable that is read where ``api_key`` holds none; None reads nothing.

    Returns:
        The keys, each once, in order; empty if there are none.

    Raises:
        ValueError: A key holds characters that no HTTP header can.
    """
    several = isinstance(api_key, Sequence) and not isinstance(api_key, str)
    given: Sequence[OneKey] = () if api_key is None else api_key if several else (api_key,)  # type: ignore[assignment]  # several says which
    keys = _split(given)
    if not keys and environment is not None:
        keys = _split((os.environ.get(environment, ""),))
    if any(not key.isascii() or not key.isprintable() or " " in key for key in keys):
        raise ValueError("an API key holds characters that no key has")
    return tuple(Secret(key) for key in keys)


def _split(keys: Sequence[OneKey]) -> tuple[str, ...]:
    parts = (part.strip() for key in keys for part in _text(key).split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def _text(key: OneKey) -> str:
    if isinstance(key, Secret):
        return key.value
    return key if isinstance(key, str) else key.get_secret_value()
