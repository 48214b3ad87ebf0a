"""`python -m evalfolio COMMAND`: the command line where the script is not on the path."""

from evalfolio.cli import main

if __name__ == "__main__":
    main()
