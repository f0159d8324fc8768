"""Imported once, before the application."""

import os

import steps

steps.order.append(["early", os.getpid()])
