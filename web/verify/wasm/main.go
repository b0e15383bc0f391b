//go:build js

// Command wasm is package verify for a page: relsealVerify(bundle, keys) takes the bytes of a
// bundle and the texts of public keys, and promises {verdict, json, summary}.
package main

import (
	"bytes"
	"context"
	"syscall/js"

	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/verify"
)

func main() {
	js.Global().Set("relsealVerify", js.FuncOf(func(_ js.Value, args []js.Value) any {
		bundle := make([]byte, args[0].Get("length").Int())
		js.CopyBytesToGo(bundle, args[0])
		var texts []string
		for i := range args[1].Get("length").Int() {
			texts = append(texts, args[1].Index(i).String())
		}
		return js.Global().Get("Promise").New(js.FuncOf(func(_ js.Value, settle []js.Value) any {
			go func() {
				if r, err := answer(bundle, texts); err != nil {
					settle[1].Invoke(js.Global().Get("Error").New(err.Error()))
				} else {
					settle[0].Invoke(r)
				}
			}()
			return nil
		}))
	}))
	select {}
}

func answer(bundle []byte, texts []string) (map[string]any, error) {
	var trusted []sign.PublicKey
	for _, text := range texts {
		key, err := keys.ParsePublic([]byte(text))
		if err != nil {
			return nil, err
		}
		trusted = append(trusted, key)
	}
	report, err := verify.Reader(context.Background(), bytes.NewReader(bundle), verify.Options{Keys: keys.NewTrusted(trusted...)})
	if report == nil {
		return nil, err
	}
	data, err := report.JSON()
	if err != nil {
		return nil, err
	}
	return map[string]any{"verdict": string(report.Verdict), "json": string(data), "summary": escape.Text(report.Summary())}, nil
}
