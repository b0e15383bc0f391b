package main

import (
	"fmt"
	"net/http"
	"unicode"
	"unicode/utf8"
)

const maxName = 100 // bytes

func handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { reply(w, "ok") })
	mux.HandleFunc("GET /greet", greet)
	return mux
}

// greet answers /greet?name=NAME; without a name it greets the world.
func greet(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("name")
	if name == "" {
		name = "world"
	}
	if len(name) > maxName || !printable(name) {
		http.Error(w, fmt.Sprintf("name: want printable text of at most %d bytes", maxName), http.StatusBadRequest)
		return
	}
	reply(w, "Hello, "+name+"!")
}

func reply(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	fmt.Fprintln(w, text)
}

func printable(s string) bool {
	for _, c := range s {
		if !unicode.IsPrint(c) {
			return false
		}
	}
	return utf8.ValidString(s)
}
