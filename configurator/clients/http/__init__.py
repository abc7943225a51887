"""HTTP as both clients need it: retries that can't do harm, pacing, failures in words, answers that are lost."""

from configurator.clients.http.client import Http, hide_query

__all__ = ["Http", "hide_query"]
