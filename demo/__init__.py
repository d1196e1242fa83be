"""A real Home Assistant with Gatehouse in a street of simulated vendors."""
