"""What a plugin is written against: the contract's classes and checks, the registry, the tolerance, the reference."""
