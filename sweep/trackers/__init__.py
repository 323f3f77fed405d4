"""Projections of a ledger: what is derived from `study.db` and can be deleted and rebuilt.

Reading order: `base` (the contract), `parquet`, `view` and `content` (what a person is shown), `mlflow` (the store),
`projection` (the runs of one study), `breaker`, `process` (the background process that follows a running study).
"""
