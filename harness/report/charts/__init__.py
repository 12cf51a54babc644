"""The figures of the page: each module turns the cells of one problem into panels, as Vega-Lite with its data.

Specifications are plain data. The name of a plugin, a study or a machine never becomes part of a field name or of an
expression. Names are only values in the data or words of a title, so nothing in them is ever evaluated.
"""
