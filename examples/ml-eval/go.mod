module example.test/mleval

go 1.26
