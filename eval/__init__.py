"""Offline evaluation of Citable."""
