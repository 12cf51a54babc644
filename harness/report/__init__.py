"""The last station: rows become a table, figures and a page. Pure; nothing here runs a backend or opens a store."""
