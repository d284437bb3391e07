"""Makes the models that Graft ships: from open question sets to weights, cards and held-out figures.

    make house-models DATA=FOLDER

Nothing here runs in the product. `reader` makes the chat model's adapter, `figures` measures it, `card` writes down what was
made of what; `synonyms` makes the table that search asks for like words; the judge's models are made by `finetune.detector`,
`finetune.quoting` and `finetune.sufficiency`.
"""
