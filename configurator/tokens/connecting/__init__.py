"""What `connect gitlab` consists of: from a pasted address to a token that was tried."""
