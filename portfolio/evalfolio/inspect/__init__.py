"""Inspect asks evalfolio what to run next (extra `inspect`).

`plan_source` is a `TaskSource` that runs a plan, looks at what came in and plans on, within its
limits; `Running` is the programme behind it, and runs it to its end.
"""

from evalfolio.inspect.running import Running as Running
from evalfolio.inspect.running import plan_source as plan_source
