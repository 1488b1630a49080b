"""The library behind the course: data, devices, training, pictures, explorers and checks.

Importing it costs nothing; each part is imported where it is used, as in ``from utils import data``.
"""

__version__ = "0.1.0"
