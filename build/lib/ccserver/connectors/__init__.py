"""One package per medium: each performs the core's commands and reports facts. They never import each other."""
