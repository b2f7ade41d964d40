"""存续状态: which of them mean that a firm is gone from the county."""

# Nobody calls on a firm that is gone, and its titles ask nothing of it here any more. A firm in liquidation is still
# registered; one that stopped or cannot be found may come back.
GONE = ("licence_revoked", "deregistered", "moved_out")
