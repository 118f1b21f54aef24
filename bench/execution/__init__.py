"""Running cells: the engine, its processes and the runner."""
