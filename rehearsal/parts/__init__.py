"""The real servers of the full rehearsal and the few simulators beside them: one part per file, loopback only."""
