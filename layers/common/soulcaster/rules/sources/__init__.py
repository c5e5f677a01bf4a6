"""The kinds of source, a module each; ``soulcaster.rules.kinds`` lists them."""
