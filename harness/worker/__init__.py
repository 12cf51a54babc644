"""The worker: the child process that measures one cell in one round. ``python -m harness.worker`` is that child.

The order of work: set-up, load, first epoch, steady epochs, evaluation, parity. What is timed is ``train_epoch``
followed by ``sync``, nothing else; ``docs/measuring.md`` says the rest in words.
"""
