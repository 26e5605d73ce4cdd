"""Training of the reader of `rag/comprehension.py`, on papers and questions that were made up for it."""
