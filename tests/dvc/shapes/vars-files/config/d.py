epochs = 7

class Train:
    rate = 0.5
