"""Ties the stations together: a study becomes a plan, the plan is measured into a store."""
