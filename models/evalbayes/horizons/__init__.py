"""Time horizons: at a share, against the cap, and what an hour of them costs."""

from evalbayes.horizons.horizon import Horizon as Horizon
from evalbayes.horizons.horizon import constant_hazard as constant_hazard
from evalbayes.horizons.horizon import fit_horizon as fit_horizon
from evalbayes.horizons.horizon import horizon_of as horizon_of
from evalbayes.horizons.hourly_cost import HourlyCost as HourlyCost
from evalbayes.horizons.of_runs import RunHorizon as RunHorizon
from evalbayes.horizons.of_runs import horizon_by_cap as horizon_by_cap
from evalbayes.horizons.of_runs import run_horizons as run_horizons
