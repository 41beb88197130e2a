(module (table 1 100000 funcref))
