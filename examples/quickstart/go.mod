module example.test/greetd

go 1.26
