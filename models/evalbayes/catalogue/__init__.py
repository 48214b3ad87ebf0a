"""The catalogue: what could be run, what it takes, and what is at stake.

`read_catalogue` reads TOML or .xlsx; every default it fills in is one of `.assumptions`.
"""

from evalbayes.catalogue.assumptions import Assumption as Assumption
from evalbayes.catalogue.budget import BudgetSpec as BudgetSpec
from evalbayes.catalogue.catalogue import Catalogue as Catalogue
from evalbayes.catalogue.catalogue import PortfolioSpec as PortfolioSpec
from evalbayes.catalogue.domain import DomainSpec as DomainSpec
from evalbayes.catalogue.eval import EvalSpec as EvalSpec
from evalbayes.catalogue.interval import Interval as Interval
from evalbayes.catalogue.reading import parse_catalogue as parse_catalogue
from evalbayes.catalogue.reading import read_catalogue as read_catalogue
from evalbayes.catalogue.writing import catalogue_to_toml as catalogue_to_toml
from evalbayes.catalogue.writing import catalogue_to_workbook as catalogue_to_workbook
from evalbayes.catalogue.writing import toml_template as toml_template
from evalbayes.catalogue.writing import write_commented as write_commented
from evalbayes.catalogue.writing import write_template as write_template
