"""Write down what the demo's Home Assistant would install when it starts.

Home Assistant installs the requirements of an integration when it first loads it. The
demo has them installed beforehand, so that it starts quickly and without a network.
"""

import importlib.util
import json
from pathlib import Path
import sys

COMPONENTS = (
    # Loaded by every Home Assistant.
    "analytics_insights",
    "application_credentials",
    "auth",
    "backup",
    "frontend",
    "hardware",
    "http",
    "labs",
    "logger",
    "network",
    "system_health",
    "usage_prediction",
    # Those of demo/home_assistant.py.
    "automation",
    "config",
    "history",
    "logbook",
    "person",
    "recorder",
    "script",
    # What Gatehouse uses of Home Assistant, now and with further vendors.
    "binary_sensor",
    "button",
    "event",
    "ffmpeg",
    "image",
    "lock",
    "media_player",
    "media_source",
    "notify",
    "sensor",
    "tts",
)
