"""The last station: rows become a table, figures and a page. Nothing here runs a backend or opens a store."""
