"""The slides: each lesson as a lecture, made of the marks that its source carries.

``python -m utils.slides`` makes them (see ``__main__``). ``outline`` reads the marks, ``pages`` writes the
slides for reveal.js, notes and the index, ``check`` measures in a browser whether each slide fits.
"""
