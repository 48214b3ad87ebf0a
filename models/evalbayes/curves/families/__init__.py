"""Families of spend: what they are, what each must satisfy, and which one the data prefer."""

from evalbayes.curves.families.compare import compare as compare
from evalbayes.curves.families.compare import fit_family as fit_family
from evalbayes.curves.families.contract import add_family as add_family
from evalbayes.curves.families.contract import check_family as check_family
from evalbayes.curves.families.family import FAMILIES as FAMILIES
from evalbayes.curves.families.family import Family as Family
from evalbayes.curves.families.family_curve import FamilyCurve as FamilyCurve
from evalbayes.curves.families.selection import Selection as Selection
from evalbayes.curves.families.selection import selection_of as selection_of
