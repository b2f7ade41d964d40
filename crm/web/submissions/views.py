"""Everything under /submissions."""

from crm.web.submissions import answering, blueprint, sending

__all__ = ["answering", "blueprint", "sending"]
