"""The search: from a question on a menu to its best choice, with a bound on any other."""

from evalfolio.search.answer import Answer as Answer
from evalfolio.search.answer import Method as Method
from evalfolio.search.answer import Status as Status
from evalfolio.search.certified import Certified as Certified
from evalfolio.search.greedy import Greedy as Greedy
from evalfolio.search.problem import Problem as Problem
from evalfolio.search.question import Question as Question
