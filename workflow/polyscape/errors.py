"""The one exception for bad input: it becomes a single clear line and exit code 2, never a traceback."""


class InputError(Exception):
    """The user's input cannot be used.

    Parameters
    ----------
    where : str
        The file (or command-line option) that holds the input.
    key : str
        Dotted path of the setting, ``search.space_groups`` for instance; empty when the whole file is meant.
    value : object
        What was found there; None for nothing.
    problem : str
        What is wrong with it.
    remedy : str
        What to write instead.
    """

    exit_code = 2

    def __init__(self, where: str, key: str, value: object, problem: str, remedy: str) -> None:
        self.where, self.key, self.value, self.problem, self.remedy = where, key, value, problem, remedy
        super().__init__(self.line())

    def line(self) -> str:
        """The message: file, key, value, problem and remedy on one line."""
        shown = repr(self.value)
        if len(shown) > 120:
            shown = shown[:117] + "..."
        place = f"{self.where}: {self.key}" if self.key else self.where
        found = "" if self.value is None or not (self.key or self.value) else f" = {shown}"
        text = f"{place}{found}: {self.problem}; {self.remedy}"
        return " ".join(text.split())
