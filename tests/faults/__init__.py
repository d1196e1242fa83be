"""What can go wrong between a vendor and Home Assistant, for all vendors alike."""
