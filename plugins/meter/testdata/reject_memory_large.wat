(module (memory 257))
