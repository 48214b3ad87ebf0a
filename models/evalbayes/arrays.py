"""Arrays by what they hold, for annotations."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Index = NDArray[np.int64]
Positions = NDArray[np.intp]
Value = Array | float
