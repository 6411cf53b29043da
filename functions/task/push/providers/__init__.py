"""The services that bring a push to a device, behind one interface."""
