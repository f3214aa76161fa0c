"""What delivery costs: each way of sending a file beside nginx sending the same file.

``python -m benchmarks`` starts real servers on loopback and says what came out.
"""
