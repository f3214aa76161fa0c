"""Signals for what happens to links.

Each signal is sent after the transaction in which it happened was committed, and a receiver that
raises is logged and keeps neither the visitor nor the other receivers waiting. ``sender`` is always
the class DirectLink. ``user`` is who did it, None for a command or an anonymous visitor.
"""

from django.dispatch import Signal

# links: list of the DirectLinks that are new; user. One signal for a whole batch.
created = Signal()

# link: the primary key; at: the aware moment. For each visit that is counted, so receivers should
# be quick: this one runs before the answer leaves.
opened = Signal()

# code: what was asked for, a secret if it is a link's; error: the DirectLinksError that the
# visitor is told.
refused = Signal()

# links: list of DirectLinks as they are now; changes: list of the names of the fields; user.
changed = Signal()

# links: list of DirectLinks; user.
revoked = Signal()
