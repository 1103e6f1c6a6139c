"""`python -m jaxcurriculum` is the console script `jaxcurriculum`."""

from jaxcurriculum.cli.main import main

if __name__ == "__main__":
    main()
