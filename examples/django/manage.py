#!/usr/bin/env python
"""Django's own commands: migrate, createsuperuser, shell ..."""

import os
import sys

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guestbook.settings")
execute_from_command_line(sys.argv)
