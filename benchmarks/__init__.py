"""The asv suite: every backend and the harness itself over their own history; programs to run by hand in scripts/."""
