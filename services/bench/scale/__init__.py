"""Search at 10,000 to 1,000,000 chunks, beside other libraries in the same run."""
