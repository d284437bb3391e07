"""`make bench`: measures the product as it is served, on its sample corpus and on public data sets where those are present."""
