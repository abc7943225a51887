"""Webhooks beyond plan and apply: see every one, find the dead ones, remove, restore, repair and try them."""
