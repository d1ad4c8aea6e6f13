import gc

# What is imported and collected stays: to look for garbage in it again and again took a third of the time.
gc.set_threshold(50_000, 50, 100)
