"""Tokens beyond plan and apply: obtain, keep, check, watch and rotate them."""
