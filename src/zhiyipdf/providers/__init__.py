"""The services that convert: each knows its own paths, payloads and error codes, and no other."""

from zhiyipdf.providers.base import Capabilities, Provider, Upload

__all__ = ["Capabilities", "Provider", "Upload"]
