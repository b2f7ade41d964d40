"""The noun 离岗 on the web: who is away, until when, and who stands in."""
