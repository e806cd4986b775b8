"""What demos/repository.py is made of: templates (the .txt files), worlds, written tests."""
