"""What Prometheus scrapes: how the centre does, and how the daemon does. Made by `ccserver.app`, served at `/metrics`.

Counters and histograms grow with the turns (`ports.Observer`) and with ARI's answers; gauges are read from the same picture
that the page shows, at the moment of the scrape. No label carries anything of a customer, and every label has few values.
`growing` counts, `moment` is asked. All of them, with what they mean: docs/reference/metrics.md.
"""

from ccserver.metrics.growing import Metrics

__all__ = ["Metrics"]
