"""What can be said without Django: grammars, codes, tickets, ranges and the shape on the wire."""
