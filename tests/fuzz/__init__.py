"""Bad input: nothing that comes from outside may do harm."""
