"""Physical models of simulated devices, by name: what there is to measure, not how it is sent.

A model is moved on by `advance`, changed by verbs, and gives its quantities by name. `demo` makes an operator act by
himself, so that every quantity is other than nothing within ten minutes.
"""
