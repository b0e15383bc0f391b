module example.test/canary

go 1.26
