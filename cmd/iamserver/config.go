package main

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"iamserver/generated/iamapi"
	"iamserver/runtime/rootcreds"
)

// location is where the data is and how clients reach the server: what root.env
// depends on.
type location struct {
	Listen              string `help:"Address to serve IAM and STS on." default:"127.0.0.1:8333" placeholder:"HOST:PORT"`
	Data                string `help:"Data directory; made on the first start." default:"./iamdata" placeholder:"DIR"`
	Region              string `help:"Region that root.env tells clients to sign for." default:"us-east-1"`
	RootCredentialsFile string `help:"File with root's credentials in the form of root.env, instead of root.env in the data directory." placeholder:"FILE"`
	TLSCert             string `name:"tls-cert" help:"Certificate chain (PEM); serves HTTPS. SIGHUP reads it anew." placeholder:"FILE" type:"existingfile"`
	TLSKey              string `name:"tls-key" help:"Private key of the certificate (PEM)." placeholder:"FILE" type:"existingfile"`
}

// Validate is called by kong.
func (l *location) Validate() error {
	if (l.TLSCert == "") != (l.TLSKey == "") {
		return errors.New("--tls-cert and --tls-key go together")
	}
	return nil
}

func (l *location) client(listening string, data *dataDirectory) rootcreds.Client {
	return rootcreds.Client{Listen: listening, TLS: l.TLSCert != "", Region: l.Region, ModelDir: filepath.Join(data.path, modelName)}
}

// quotas are the limits of the specification with those of --quota in their place.
func quotas(set map[string]int) (*iamapi.Quotas, error) {
	q := iamapi.DefaultQuotas()
	fields := reflect.ValueOf(&q).Elem()
	for _, name := range slices.Sorted(maps.Keys(set)) {
		field := fields.FieldByName(name)
		if !field.IsValid() {
			return nil, fmt.Errorf("--quota: there is no quota %s; there are %s", name, strings.Join(quotaNames(), ", "))
		}
		if set[name] < 0 {
			return nil, fmt.Errorf("--quota: %s cannot be negative; 0 means unlimited", name)
		}
		field.SetInt(int64(set[name]))
	}
	return &q, nil
}

func quotaNames() []string {
	var names []string
	for _, field := range reflect.VisibleFields(reflect.TypeFor[iamapi.Quotas]()) {
		names = append(names, field.Name)
	}
	return names
}

// logger writes to standard error, so that standard output stays for people.
func (c *serveCommand) logger(p *process) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(p.stderr, options))
	}
	return slog.New(slog.NewTextHandler(p.stderr, options))
}
