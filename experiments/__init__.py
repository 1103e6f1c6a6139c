"""The command line, studies and reports."""

if __name__ != "jaxcurriculum.experiments":
    raise ImportError("Import this package as jaxcurriculum.experiments: under its short name every class would exist twice.")
