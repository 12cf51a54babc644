"""Connects the stations: a study is read and planned, and its cells are measured into a store."""
