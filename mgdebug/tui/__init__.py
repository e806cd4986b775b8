"""The full-screen face, on Textual: folds events, and starts nothing but repair()."""
