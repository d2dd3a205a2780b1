"""What every consumer of published events shares: messages to checked events, batches to answers.

Projections and consumers each stand behind a queue of their own and never see each other; what
they have in common is here.
"""
