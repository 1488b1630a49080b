"""What the lessons built by hand, kept here so that later lessons can use it.

One module for each lesson that builds something another lesson needs. The docstring of every function and
class says in which lesson (or in which of its exercises) it was built, and a test holds the two definitions
together: the one you read in the notebook and the one you import do the same.

    from utils.built.activations import softmax  # lesson 02
"""
