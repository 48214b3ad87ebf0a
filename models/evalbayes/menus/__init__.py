"""Menus: from a posterior and a catalogue to options, costs and information."""

from evalbayes.menus.build import MenuNotes as MenuNotes
from evalbayes.menus.build import build_menu as build_menu
from evalbayes.menus.build import menu_of as menu_of
from evalbayes.menus.several import menu_of_several as menu_of_several
from evalbayes.menus.states import state_draws as state_draws
