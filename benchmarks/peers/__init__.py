"""One file a peer. Each gives ``contenders(product)`` or raises ``Missing`` with what it would need."""
