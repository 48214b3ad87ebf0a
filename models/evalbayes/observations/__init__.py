"""Observations: results of AI models on evals, as runs, cells, counts, scores or studies.

`read_observations` tells the shapes apart by their columns and checks every row.
"""

from evalbayes.observations.attempts import attempts_of as attempts_of
from evalbayes.observations.files import write_observations as write_observations
from evalbayes.observations.importing import Imported as Imported
from evalbayes.observations.importing import TableMapping as TableMapping
from evalbayes.observations.importing import imported as imported
from evalbayes.observations.importing import read_mapping as read_mapping
from evalbayes.observations.observations import Observations as Observations
from evalbayes.observations.reading import observations_of as observations_of
from evalbayes.observations.reading import read_observations as read_observations
from evalbayes.observations.rows import Rows as Rows
from evalbayes.observations.shape import OUTCOMES as OUTCOMES
