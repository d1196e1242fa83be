"""What its parts share."""

DOMAIN = "gatehouse_yardstick"

ADD_EVENTS = f"{DOMAIN}_add_events"
ADD_SENSORS = f"{DOMAIN}_add_sensors"
"""Where the platforms leave what adds their entities."""
