"""The command line: how options are declared, read and told.

An option stands once, as a field of a group of options beside what it sets; parser, ``--help``
and README follow it. A command is a row of ``run_live.COMMANDS``.
"""
