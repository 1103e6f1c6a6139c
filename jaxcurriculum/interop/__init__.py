"""Doors to other frameworks: teachers inside any trainer.

`HostTeacher` needs nothing but NumPy on the other side. What needs a framework has a file of its
own, named after it, and is imported from there.
"""

from jaxcurriculum.interop.host_teacher import HostTeacher, Ticket

__all__ = ["HostTeacher", "Ticket"]
