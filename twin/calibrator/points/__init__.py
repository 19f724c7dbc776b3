"""Point lists of published tests, CSV; `twin.calibrator.point_sets` says which belong together."""
