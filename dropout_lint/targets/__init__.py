"""Model targets as data: which model to run, with which arguments and inputs. Nothing is imported to read them."""
