"""What is measured, as pure functions over records: a module a family, and `intervals` for how far to trust a mean."""
