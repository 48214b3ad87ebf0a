"""What a choice is for: objectives that add, scale and compare, one by one or summed."""

from evalfolio.objectives.named import as_objective as as_objective
from evalfolio.objectives.named import evsi as evsi
from evalfolio.objectives.named import log_determinant as log_determinant
from evalfolio.objectives.named import tail_value as tail_value
from evalfolio.objectives.named import variance as variance
from evalfolio.objectives.named import wrong_calls as wrong_calls
from evalfolio.objectives.objective import Objective as Objective
from evalfolio.objectives.objective import ObjectiveFloor as ObjectiveFloor
