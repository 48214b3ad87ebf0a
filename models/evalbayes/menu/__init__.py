"""The seam: what can be bought, and what options buy together."""

from evalbayes.menu.menu import Menu as Menu
from evalbayes.menu.shared import SharedPurchase as SharedPurchase
from evalbayes.menu.tariff import Tariff as Tariff
