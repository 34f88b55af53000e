"""Lets Ansible load the role before the module is built, so that the role's first task can say how to build it."""

from ansible.plugins.action.normal import ActionModule

__all__ = ["ActionModule"]
