"""Which OpenBLAS kernels run: the option ``kernels``, the search behind ``auto`` and where its answer is kept."""
