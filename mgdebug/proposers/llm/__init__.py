"""The model engine."""
