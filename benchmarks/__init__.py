"""What `scripts/bench` runs. Every row is a ratio measured in one run."""
