"""The posterior: draws of everything the fit learned, its gate, and what it was made from."""

from evalbayes.posterior.posterior import Posterior as Posterior
