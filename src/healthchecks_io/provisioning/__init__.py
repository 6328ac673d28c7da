"""Checks as code: read checks from a file, plan the changes to a project, apply and export them."""
