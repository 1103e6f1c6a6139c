"""`python -m jaxcurriculum` is the console script `jaxcurriculum`."""

from jaxcurriculum.experiments.cli import main

if __name__ == "__main__":
    main()
