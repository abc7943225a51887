"""configurator: one YAML spec makes a Jenkins controller and a GitLab instance match it."""

__version__ = "0.1.0"
