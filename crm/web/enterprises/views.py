"""Everything under /enterprises."""

from crm.web.enterprises import blueprint, bulk, cell_editor, edit, listing, merging, neighbours, new, selection, show

__all__ = ["blueprint", "bulk", "cell_editor", "edit", "listing", "merging", "neighbours", "new", "selection", "show"]
