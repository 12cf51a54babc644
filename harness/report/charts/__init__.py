"""The figures of the page: each module turns the cells of one problem into panels, plain Vega-Lite with its data.

Specifications are written as plain data. No name of a plugin, a study or a machine ever becomes part of a field's name
or of an expression: names are values in the data or words of a title, so nothing in them is ever evaluated.
"""
