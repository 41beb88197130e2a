(module (table 100000000 funcref))
