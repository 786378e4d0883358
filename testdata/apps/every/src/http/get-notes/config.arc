@uses
tables notes read
