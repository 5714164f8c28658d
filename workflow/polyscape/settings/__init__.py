"""The config, typed once: `load_settings` reads it, the classes say what it may hold."""

from polyscape.settings.campaign import Settings
from polyscape.settings.load import load_settings, parse_settings

__all__ = ["Settings", "load_settings", "parse_settings"]
