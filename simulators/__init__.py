"""Stand-ins for the devices and services that Gatehouse talks to.

They are written from the vendors' documents alone and know nothing of the integration.
"""
