"""Environments: families of procedurally generated tasks."""

if __name__ != "jaxcurriculum.envs":
    raise ImportError("Import this package as jaxcurriculum.envs: under its short name every class would exist twice.")
