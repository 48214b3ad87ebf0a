"""Priors of the task-level model beyond those of the joint model, each with where it comes from.

Everything is in doublings of human task time (capability, difficulty) or in ln spend.
"""

from __future__ import annotations

from evalbayes.model.priors import Positive

# Given the task, success falls more steeply with difficulty than over tasks of unlike difficulty:
# 0.5 to 0.9 logits per doubling over METR's tasks, of which task effects hide about a third.
SLOPE = Positive(0.7, 0.5)
SLOPE_SPREAD = Positive(0.2, 0.5)  # sd of ln slope between AI models
LENGTH_SLOPE_SD = Positive(0.1, 0.7)  # sd between AI models, doublings per doubling of length
# A doubling of stated human time makes a task about that much harder, less where times are rough.
MINUTES = (0.7, 0.4)  # mean and sd of the typical λ
MINUTES_SPREAD = Positive(0.25, 0.5)  # sd of λ between evals
# Repeated runs correlate by 0.5 to 0.7 within a task (METR, early 2025): a·τ of 2 to 3 logits.
TASK_SD = Positive(2.5, 0.4)
TASK_SD_SPREAD = Positive(0.3, 0.5)  # sd of ln τ between evals

SPEND_WITHIN = (0.35, 0.35)  # ln spend per doubling of human time, inside an eval: 0.5 per e-fold
SPEND_BY_EFFECT = (0.1, 0.3)  # ln spend per logit of difficulty that human time does not tell
# sd of ln spend between tasks that nothing else tells: one to two thirds of the variance inside a
# cell of the cyber runs is shared by the runs of a task.
TASK_SPEND_SD = Positive(0.6, 0.5)
TASK_SPEND_SD_SPREAD = Positive(0.4, 0.5)  # sd of its logarithm between evals
GAVE_UP_LOADING = (0.5, 0.4)  # of the task's spend effect on giving up, that on success being 1
