"""Who reaches what: the security groups and network policies of an assembly, evaluated."""
