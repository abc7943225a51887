"""What is on the servers, read in bulk and once, for all kinds."""
