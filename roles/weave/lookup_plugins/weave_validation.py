"""Hold the role's variables against meta/argument_specs.yml, and refuse what is not as it says.

Ansible would do so by itself, in a task before the role's, where the specification has the entry point `main`. But it sends the
specification back with each host's result, 0.13 MB a host that the controller keeps: docs/decisions/speed.md.
"""

import json
import os

from ansible.errors import AnsibleError, AnsibleLookupError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.lookup import LookupBase

# Those whose values are shown. Never a dict or a list: secrets may be in it.
SHOWN_TYPES = ("str", "int", "bool")


def refusal(options, values):
    """Say what is wrong with variables.

    options: the `options` of an entry point of meta/argument_specs.yml.
    values: the variables that are set, by name.

    Returns a line for each that is of another type than its option, or has another value than those listed: its name, the
    value, what Ansible's validator says of it, and what the variable is. "" where none is.
    """
    lines = []
    for name, value in values.items():
        option = options[name]
        errors = ArgumentSpecValidator({name: option}).validate({name: value}, validate_role_argument_spec=True).error_messages
        if errors:
            shown = option["type"] in SHOWN_TYPES and not option.get("no_log")
            told = json.dumps(value, default=str) if shown else "its value"
            lines.append(f"{name}: {told} is refused: {'; '.join(errors)}. It means: {_text(option['description'])}")
    return "\n".join(lines)


def _text(description):
    return description if isinstance(description, str) else " ".join(description)


class LookupModule(LookupBase):
    def run(self, terms, variables=None, **kwargs):
        """Return one empty text. Raises AnsibleLookupError with the refusals where there are any."""
        # Ansible has read the file when it loaded the role, and keeps it.
        specs = self._loader.load_from_file(os.path.join(variables["role_path"], "meta", "argument_specs.yml"))
        options = specs["argument_specs"]["variables"]["options"]
        refused = refusal(options, {name: self._value(name, variables) for name in options if name in variables})
        if refused:
            raise AnsibleLookupError(refused)
        return [""]

    def _value(self, name, variables):
        try:
            return self._templar.template(variables[name])
        except AnsibleError as error:
            raise AnsibleLookupError(f"{name}: {error}") from error
