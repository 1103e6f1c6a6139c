"""What a person sees of runs: tables, figures, films and pages, made from their files."""
