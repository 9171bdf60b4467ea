"""`ops doctor`: would this account take the environment? Facts are read once, and judged without AWS."""
