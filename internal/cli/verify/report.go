package verify

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/cireport"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/verify"
)

// A reportFile is a flag that names a file, and what is written there.
type reportFile struct {
	flag    string
	content func([]cireport.Result) ([]byte, error)
}

// reportFiles are in the order of writing.
var reportFiles = []reportFile{
	{"certificate", func(r []cireport.Result) ([]byte, error) {
		data, err := r[0].Report.JSON()
		return append(data, '\n'), err
	}},
	{"summary", func(r []cireport.Result) ([]byte, error) { return []byte(r[0].Report.Summary()), nil }},
	{"junit", cireport.JUnit},
	{"sarif", func(r []cireport.Result) ([]byte, error) { return cireport.SARIF(ui.Version, r) }},
}

// checkReportFiles refuses before the work, and not after it, to overwrite.
func checkReportFiles(c *cli.Context) error {
	for _, f := range reportFiles {
		file := c.String(f.flag)
		if _, err := os.Lstat(file); err == nil && !c.Bool("force") {
			return ui.Exists(file)
		}
	}
	return nil
}

func writeReportFiles(c *cli.Context, results []cireport.Result) error {
	for _, f := range reportFiles {
		file := c.String(f.flag)
		if file == "" || len(results) == 0 {
			continue
		}
		data, err := f.content(results)
		if err != nil {
			return err
		}
		err = durable.WriteFile(file, data, 0o644, c.Bool("force"))
		if errors.Is(err, fs.ErrExist) {
			return ui.Exists(file)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// printReports prints one report as it is; of several, those that are not
// VERIFIED and then a table of all.
func printReports(env *ui.Env, c *cli.Context, results []cireport.Result, many bool) error {
	if c.Bool("json") || !many {
		for _, r := range results {
			if err := env.Print(c, r.Report, r.Report.Summary()); err != nil {
				return err
			}
		}
		return nil
	}
	var w strings.Builder
	for _, r := range results {
		if !r.Report.Valid {
			fmt.Fprintf(&w, "%s:\n%s\n", escape.Line(r.Name), r.Report.Summary())
		}
	}
	for _, r := range results {
		fmt.Fprintf(&w, "%-11s  %s%s%s\n", r.Report.Verdict, escape.Line(r.Name), ended(r.Report), by(r.Report))
	}
	_, err := fmt.Fprint(env.Stdout, w.String())
	return err
}

// ended says of a run that it did not end well: a record of it can be in good order.
func ended(r *verify.Report) string {
	if r.Bundle.Outcome == nil {
		return ""
	}
	return "  run " + escape.Line(*r.Bundle.Outcome)
}

// by names the keys that verified something in the bundle.
func by(r *verify.Report) string {
	var ids []string
	for _, k := range r.Keys {
		ids = append(ids, k.ID.String())
	}
	if ids == nil {
		return ""
	}
	return "  by " + strings.Join(ids, ", ")
}
