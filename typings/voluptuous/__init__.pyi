# Home Assistant puts probatio in the place of voluptuous at run time, on every release
# that Gatehouse supports; this tells the type checker so.
from probatio import *
