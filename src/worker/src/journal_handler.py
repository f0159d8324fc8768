"""hostler.JournalHandler, for Python's logging: level, logger and place in the code go to the journal as fields."""
import logging


class JournalHandler(logging.Handler):
    """Sends each record as one entry of the journal, with the request that it belongs to.

    PRIORITY is the level, HOSTLER_LOGGER the name of the logger, CODE_FILE, CODE_LINE and CODE_FUNC the place in the
    code. Where the log goes to standard error, it is a line there. It never waits.
    """

    def emit(self, record):
        try:
            text = self.format(record)
            send(text, record.levelno, record.name, record.pathname, record.lineno, record.funcName)
        except Exception:
            self.handleError(record)
