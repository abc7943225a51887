"""What `token check` consists of: looking at servers in few requests, and judging what was seen."""
