"""Speed on this machine, beside whatever else is installed: `neurograph bench`.

Machines drift, so only ratios of neighbours count: in every round each contender runs for a short while, one after the other, and
the tables show the median of the rounds' ratios and their range. Contenders train the same network from the same first weights on the
same batches, and their losses are compared before anything is timed. The project needs none of the peers; those that are not
installed are left out.
"""
