"""The noun 交接 on the web: who has how much in hand, and handing it over with a preview."""
