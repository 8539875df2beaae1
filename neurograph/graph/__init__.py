"""The network in closed form (topology) and written out (neuron graph), and how one becomes the other."""
