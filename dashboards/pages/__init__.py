"""One module per page: its layout, and the callbacks that only it needs."""
