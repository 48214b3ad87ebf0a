"""Tasks: success and spend of every task, tasks that differ, and AI models not seen before."""

from evalbayes.tasks.forecast import Forecast as Forecast
from evalbayes.tasks.history import TaskHistory as TaskHistory
from evalbayes.tasks.recap import recapped as recapped
from evalbayes.tasks.runs import TaskRuns as TaskRuns
