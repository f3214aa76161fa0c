"""Pure Python without Django: URIs, codes, tickets, ranges and the envelope."""
