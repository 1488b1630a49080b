"""The web site: the lessons as they are stored, in pages that need no network and no kernel.

``python -m utils.site`` makes it (see ``__main__``). ``pages`` turns notebooks into Sphinx's sources,
``alive`` finds the explorers that run without a kernel, ``formulas`` typesets, ``vendor`` fetches from npm.
"""
