"""What `token rotate` consists of: prove, ask once, keep the answer, deliver it, look."""
