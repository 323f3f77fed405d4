"""The reference engine: a slow, plain backtest that says what is right, written from the specification alone.

Reading order: `market`, `strategy`, `context`; `orders`, `fills`, `sizing`, `execution`, `book`; `simulation` (the six
steps of a bar) and `engine` (the loop); `curve`, `metrics`, `summary`, `schema`, `digest`; `indicators` apart.
"""
