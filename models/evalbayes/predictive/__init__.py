"""Predictive draws: what models say of results before any is seen, and after; no PyMC at import."""

from evalbayes.predictive.posterior import EvalPredictive as EvalPredictive
from evalbayes.predictive.posterior import posterior_predictive as posterior_predictive
from evalbayes.predictive.predictive import Predictive as Predictive
from evalbayes.predictive.prior import MODELS as MODELS
from evalbayes.predictive.prior import prior_predictive as prior_predictive
