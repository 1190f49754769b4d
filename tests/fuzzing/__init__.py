"""Every kind of file that is read, damaged at random: `python -m tests.fuzzing --mutations 10000`."""
