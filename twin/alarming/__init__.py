"""A reference alarm server: it polls meters as any master does, and knows nothing else of the site."""
