"""Limits a planner has: objects that print as they are written, or rows of a spreadsheet.

>>> Floor("cyber", 50_000)
Floor(of='cyber', at_least=50000.0, resource='usd', share=False)
>>> print(Requires("uplift study", "bio questions"))
uplift study requires bio questions
"""

from evalfolio.limits.affine import Affine as Affine
from evalfolio.limits.affine import ConvexLimit as ConvexLimit
from evalfolio.limits.bounds import Ceiling as Ceiling
from evalfolio.limits.bounds import Floor as Floor
from evalfolio.limits.bounds import ZeroOrAtLeast as ZeroOrAtLeast
from evalfolio.limits.group import Where as Where
from evalfolio.limits.limit import AnyLimit as AnyLimit
from evalfolio.limits.limit import Limit as Limit
from evalfolio.limits.limit import as_limit as as_limit
from evalfolio.limits.logic import Excludes as Excludes
from evalfolio.limits.logic import Requires as Requires
from evalfolio.limits.presence import EveryDomain as EveryDomain
from evalfolio.limits.presence import Forbidden as Forbidden
from evalfolio.limits.presence import Mandatory as Mandatory
from evalfolio.limits.presence import MaxEvals as MaxEvals
from evalfolio.limits.presence import MinEvals as MinEvals
from evalfolio.limits.rows import Row as Row
from evalfolio.limits.rows import Rows as Rows
from evalfolio.limits.table import constraints_from_table as constraints_from_table
from evalfolio.limits.target import DangerMissed as DangerMissed
from evalfolio.limits.target import NeedlessMitigation as NeedlessMitigation
from evalfolio.limits.target import PosteriorSd as PosteriorSd
from evalfolio.limits.target import WrongCall as WrongCall
from evalfolio.limits.uncertain import ChanceLimit as ChanceLimit
from evalfolio.limits.uncertain import TailLimit as TailLimit
