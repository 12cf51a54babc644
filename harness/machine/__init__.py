"""This computer: its cores, how a process is started and ended on it, its limits, its facts and what holds it back."""
