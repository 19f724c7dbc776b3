"""Programs that use a served site from outside, as masters do."""
