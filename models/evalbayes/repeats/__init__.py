"""Repeated attempts: what best-of-k solves, where it counts, and how to split a spend."""

from evalbayes.repeats.best_of_k import BestOfK as BestOfK
from evalbayes.repeats.best_of_k import fit_best_of_k as fit_best_of_k
from evalbayes.repeats.clustering import counted as counted
from evalbayes.repeats.of_eval import EvalRepeats as EvalRepeats
from evalbayes.repeats.of_eval import repeats_of as repeats_of
from evalbayes.repeats.split import best_split as best_split
from evalbayes.repeats.split import split_map as split_map
