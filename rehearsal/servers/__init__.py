"""The real servers of the full rehearsal and the few simulators beside them: one server per file, loopback only."""
