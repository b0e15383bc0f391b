package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/verify"
)

const vectors = "../../../testdata/vectors"

// TestPage opens the page from a file in Chromium, holds its reports against those of this
// process byte for byte, drops a bundle on it, and sees that it asks for nothing.
func TestPage(t *testing.T) {
	b := browse(t)
	dir := t.TempDir()
	if err := build(dir); err != nil {
		t.Fatal(err)
	}
	b.call("Network.enable", nil)
	b.call("Page.navigate", map[string]any{"url": "file://" + dir + "/index.html"})
	b.eval(`new Promise(done => { const wait = () => document.readyState === "complete" && typeof relsealVerify === "function" ? done("") : setTimeout(wait, 20); wait(); })`)
	names, err := filepath.Glob(filepath.Join(vectors, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for i, name := range names {
		if i%5 > 0 && os.Getenv("RELSEAL_WHOLE") == "" {
			continue
		}
		var v struct {
			Bundle    string
			Keys      []string
			Artifacts string
			Strict    bool
			NewerThan string `json:"newer_than"`
			Expect    struct{ Error string }
		}
		if err := json.Unmarshal(content(t, name), &v); err != nil {
			t.Fatal(err)
		}
		if v.Artifacts != "" || v.Strict || v.NewerThan != "" || v.Expect.Error != "" {
			continue // what the page does not ask for
		}
		var files, texts []string
		for _, k := range v.Keys {
			files = append(files, filepath.Join(vectors, k))
			texts = append(texts, string(content(t, filepath.Join(vectors, k))))
		}
		trusted, err := keys.LoadTrusted(files)
		if err != nil {
			t.Fatal(err)
		}
		r, err := verify.File(context.Background(), filepath.Join(vectors, v.Bundle), verify.Options{Keys: trusted})
		if r == nil {
			t.Fatal(err)
		}
		want, err := r.JSON()
		if err != nil {
			t.Fatal(err)
		}
		got := b.eval(fmt.Sprintf(`relsealVerify(Uint8Array.from(atob(%q), c => c.charCodeAt(0)), %s).then(r => r.json)`,
			base64.StdEncoding.EncodeToString(content(t, filepath.Join(vectors, v.Bundle))), text(t, texts)))
		if got != string(want) {
			t.Errorf("%s: the page says\n%s\nwant\n%s", v.Bundle, got, want)
		}
		compared++
	}
	if compared < 10 {
		t.Errorf("only %d vectors were compared", compared)
	}

	drop := func(bundle string) string {
		return b.eval(fmt.Sprintf(`(async () => {
			const files = new DataTransfer();
			files.items.add(new File([Uint8Array.from(atob(%q), c => c.charCodeAt(0))], "demo.release.tar.zst"));
			files.items.add(new File([%s], "release.pub"));
			document.dispatchEvent(new DragEvent("drop", {dataTransfer: files}));
			const verdict = () => document.getElementById("verdict").textContent;
			do await new Promise(next => setTimeout(next, 20)); while (!/VERIFIED|REJECT|UNDECIDABLE|no answer/.test(verdict()));
			return verdict();
		})()`, base64.StdEncoding.EncodeToString(content(t, filepath.Join(vectors, bundle))), text(t, string(content(t, filepath.Join(vectors, "keys", "release.pub"))))))
	}
	if got := drop("good-release.tar.zst"); got != "VERIFIED" {
		t.Errorf("a good bundle that was dropped is %q", got)
	}
	b.call("Page.navigate", map[string]any{"url": "file://" + dir + "/index.html?again"})
	b.eval(`new Promise(done => { const wait = () => document.getElementById("verdict")?.textContent === "no bundle yet" ? done("") : setTimeout(wait, 20); wait(); })`)
	if got := drop("container-cut.tar.zst"); got != "REJECT" {
		t.Errorf("a bundle that was cut is %q", got)
	}
	if b.requests["file://"+dir+"/relseal.js"] == 0 {
		t.Error("no request was seen, not even for the page's own files")
	}
	for url := range b.requests {
		if !strings.HasPrefix(url, "file://"+dir+"/") {
			t.Errorf("the page asked for %s", url)
		}
	}
}

func content(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// text returns v as it may stand in a script.
func text(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// A browser is Chromium, driven through two pipes by the DevTools protocol.
type browser struct {
	t        *testing.T
	in       io.Writer
	out      *bufio.Reader
	id       int
	session  string
	requests map[string]int // by URL
}

func browse(t *testing.T) *browser {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("no Chromium")
	}
	theirIn, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--remote-debugging-pipe", "--user-data-dir="+t.TempDir(), "about:blank")
	cmd.ExtraFiles = []*os.File{theirIn, theirOut}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirIn.Close()
	theirOut.Close()
	b := &browser{t: t, in: in, out: bufio.NewReader(out), requests: map[string]int{}}
	t.Cleanup(func() {
		b.session = ""
		b.call("Browser.close", nil)
		in.Close()
		cmd.Wait()
		out.Close()
	})
	var target struct{ TargetID string }
	b.into(&target, "Target.createTarget", map[string]any{"url": "about:blank"})
	var session struct{ SessionID string }
	b.into(&session, "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true})
	b.session = session.SessionID
	return b
}

// call sends a command and returns its result.
func (b *browser) call(method string, params any) json.RawMessage {
	b.t.Helper()
	b.id++
	message := map[string]any{"id": b.id, "method": method}
	if params != nil {
		message["params"] = params
	}
	if b.session != "" {
		message["sessionId"] = b.session
	}
	if _, err := b.in.Write(append([]byte(text(b.t, message)), 0)); err != nil {
		b.t.Fatal(err)
	}
	for {
		data, err := b.out.ReadBytes(0)
		if err != nil {
			b.t.Fatalf("%s: %v", method, err)
		}
		var m struct {
			ID     int
			Result json.RawMessage
			Error  json.RawMessage
			Method string
			Params struct{ Request struct{ URL string } }
		}
		if err := json.Unmarshal(data[:len(data)-1], &m); err != nil {
			b.t.Fatal(err)
		}
		if m.Method == "Network.requestWillBeSent" {
			b.requests[m.Params.Request.URL]++
		}
		if m.ID == b.id {
			if m.Error != nil {
				b.t.Fatalf("%s: %s", method, m.Error)
			}
			return m.Result
		}
	}
}

func (b *browser) into(v any, method string, params any) {
	b.t.Helper()
	if err := json.Unmarshal(b.call(method, params), v); err != nil {
		b.t.Fatal(err)
	}
}

// eval waits for the text that an expression promises.
func (b *browser) eval(expression string) string {
	b.t.Helper()
	var r struct {
		Result           struct{ Value string }
		ExceptionDetails json.RawMessage
	}
	b.into(&r, "Runtime.evaluate", map[string]any{"expression": expression, "awaitPromise": true, "returnByValue": true})
	if r.ExceptionDetails != nil {
		b.t.Fatalf("%.200s: %s", expression, r.ExceptionDetails)
	}
	return r.Result.Value
}
