"""The full rehearsal: one environment deployed on one machine, with the real program wherever one can run."""
