"""How a sentence differs from what the evidence says of the same: denied, widened, turned round, or said of something else.

`eval.support` compares words, and words do not show which of two statements in nearly the same words is true. `features` is what
the judge reads; it asks `pairing` which clause says the same, `places` where a value stands, and `words` which words matter.
"""
