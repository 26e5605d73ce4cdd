"""How well true claims are told from false ones: claims written by us, false ones made of them, training, figures."""
