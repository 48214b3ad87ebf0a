"""Inputs: catalogue and observations together, read back and checked; a first draft of one."""

from evalbayes.inputs.check import CheckReport as CheckReport
from evalbayes.inputs.check import check_covered as check_covered
from evalbayes.inputs.check import check_inputs as check_inputs
from evalbayes.inputs.drafting import draft as draft
from evalbayes.inputs.drafting import write_draft as write_draft
