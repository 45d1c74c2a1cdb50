"""Exercises: scenarios read, played into the shipped drivers, answered by a trainee, judged and reported."""
