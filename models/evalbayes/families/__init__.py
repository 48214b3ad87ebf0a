"""Families of spend: what they are, what each must satisfy, and which one the data prefer."""

from evalbayes.families.compare import compare as compare
from evalbayes.families.compare import fit_family as fit_family
from evalbayes.families.contract import check_family as check_family
from evalbayes.families.family import FAMILIES as FAMILIES
from evalbayes.families.family import Family as Family
from evalbayes.families.family_curve import FamilyCurve as FamilyCurve
from evalbayes.families.selection import Selection as Selection
from evalbayes.families.selection import selection_of as selection_of
