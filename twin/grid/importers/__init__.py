"""Networks from other tools; each converter imports its library only when it is called."""
