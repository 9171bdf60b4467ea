"""The delivery pipeline: its steps, builds and stores, and the proof of an environment."""
