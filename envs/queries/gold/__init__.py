"""Is a published gold query fit to judge by: is its result the only right one, also on copies?"""
