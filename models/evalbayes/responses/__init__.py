"""Responses: which AI model solves which task, in a normal approximation that takes seconds."""

from evalbayes.responses.further import Further as Further
from evalbayes.responses.history import fit_history as fit_history
from evalbayes.responses.newcomer import Newcomer as Newcomer
from evalbayes.responses.population import Population as Population
from evalbayes.responses.population import Seen as Seen
