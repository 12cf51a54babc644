"""Which OpenBLAS kernels run: the option ``kernels``, and the search behind its value ``auto``."""
