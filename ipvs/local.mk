# programs and unit tests of ipvs/
