"""The servers, spoken to: one client for Jenkins, one for GitLab, both over the same HTTP."""
