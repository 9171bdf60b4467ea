"""What an environment costs a month: prices, what is billed of the templates, and how it is shown."""
