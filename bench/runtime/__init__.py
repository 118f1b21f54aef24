"""The machine: cache, device, memory, precision, interrupts and versions."""
