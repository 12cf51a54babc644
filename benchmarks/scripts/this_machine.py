"""Tell asv about this machine under the name that the harness's own rows carry, and print that name.

asv would call it by the name of the host, which then stands in every published result.
"""

from __future__ import annotations

from asv.machine import Machine, MachineCollection

from harness.machine import cores as machine

NAME = machine.identity()

if __name__ == "__main__":
    MachineCollection.save(NAME, {**Machine.get_defaults(), "machine": NAME})
    print(NAME)
