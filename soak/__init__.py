"""An hour of mixed traffic with faults, and what that leaves behind."""
