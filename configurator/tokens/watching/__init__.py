"""What `status` consists of."""
