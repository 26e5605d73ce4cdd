"""How an answer is written: one module a mode, all with the interface of `writer.py`, chosen in `modes.py`."""
