"""This computer: its cores, its lock, its limits and facts, and how processes are started and ended on it."""
