"""Readers of evidence: Inspect logs and METR run files become observations.

Importing this package loads neither inspect_ai nor anything slow; logs need the extra `inspect`.
"""

from evalfolio.readers.inspect_logs import find_logs as find_logs
from evalfolio.readers.inspect_logs import read_inspect_logs as read_inspect_logs
from evalfolio.readers.metr import read_metr_runs as read_metr_runs
from evalfolio.readers.prices import Price as Price
from evalfolio.readers.prices import Prices as Prices
from evalfolio.readers.prices import default_prices as default_prices
from evalfolio.readers.prices import read_prices as read_prices
from evalfolio.readers.result import ImportResult as ImportResult
from evalfolio.readers.result import check_ending as check_ending
