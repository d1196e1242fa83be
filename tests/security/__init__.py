"""Promises of `docs/security.md` that concern all vendors, or none of them alone."""
