"""What stands at the ends of the network, as pure physics: motors, inverters, voltage dependence, spectra."""
