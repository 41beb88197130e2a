package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/net/netutil"

	"iamserver/runtime/audit"
	"iamserver/runtime/identity"
	"iamserver/runtime/managed"
	"iamserver/runtime/rootcreds"
	"iamserver/runtime/seal"
	"iamserver/runtime/server"
)

type serveCommand struct {
	location
	objectFlags
	authorizeFlags
	pluginFlags

	AccountID       string         `name:"account-id" help:"Account id, 12 digits. It cannot change once there is data." default:"000000000000"`
	AcceptRegion    []string       `help:"Regions accepted in signatures; any by default." placeholder:"REGION,…"`
	SelfService     string         `help:"Whether users may manage their own access keys without a policy that allows it: on, or off as on AWS." enum:"on,off" default:"on"`
	Quota           map[string]int `help:"Limits of the account, such as AccessKeysPerUserQuota=5; 0 means unlimited." placeholder:"NAME=N;…"`
	ManagedPolicies string         `help:"Directory with more policies under arn:aws:iam::aws:policy/: NAME.json, or PATH/NAME.json, is the document of one." placeholder:"DIR" type:"existingdir"`
	TrustedProxies  []netip.Prefix `name:"trusted-proxies" help:"Networks of proxies whose X-Forwarded-For and X-Forwarded-Proto count; from all others they are ignored." placeholder:"CIDR,…"`
	AdminListen     string         `help:"Address of /healthz, /readyz and /metrics, which ask for no credentials; empty for none." default:"127.0.0.1:8334" placeholder:"HOST:PORT"`
	AuditLog        string         `help:"File for the audit log, or - for standard output. SIGHUP opens it anew." placeholder:"FILE"`
	AuditOnError    string         `help:"What to do with writes while the audit log cannot be written: refuse or continue." enum:"refuse,continue" default:"refuse"`
	MaxConnections  int            `help:"Connections that are served at a time; more wait to be accepted." default:"4096"`
	LogFormat       string         `help:"Format of the log on standard error: text or json." enum:"text,json" default:"text"`
	LogLevel        slog.Level     `help:"Least level of the log: debug, info, warn or error." default:"info"`
}

// Limits of connections, for those who have not authenticated above all.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 30 * time.Second
	writeTimeout      = 60 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10
	shutdownTimeout   = 30 * time.Second
)

// Validate is called by kong, before anything is made.
func (c *serveCommand) Validate() error {
	if len(c.AccountID) != 12 || strings.Trim(c.AccountID, "0123456789") != "" {
		return fmt.Errorf("--account-id: %q is not 12 digits", c.AccountID)
	}
	if c.MaxConnections < 1 {
		return errors.New("--max-connections must be at least 1")
	}
	return errors.Join(c.location.Validate(), c.objectFlags.Validate(), c.validateAuthorize(c.S3))
}

// Run serves until the process is told to stop.
func (c *serveCommand) Run(p *process) (err error) {
	log := c.logger(p)
	if err := c.absolute(); err != nil {
		return err
	}
	limits, err := quotas(c.Quota)
	if err != nil {
		return err
	}
	policies, err := c.managedPolicies()
	if err != nil {
		return err
	}
	data, err := openData(p.stop, c.Data)
	if err != nil {
		return err
	}
	defer closing(&err, data.store)
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	defer listener.Close() //nolint:errcheck // the HTTP server has closed it, unless the start failed
	root, err := data.root(p, c.RootCredentialsFile, c.client(reachable(c.Listen, listener.Addr()), data))
	if err != nil {
		return err
	}
	keyset, err := seal.Load(seal.Config{Dir: data.path, Fresh: data.fresh, Getenv: p.getenv})
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	config := server.Config{
		Store: data.store, Sealer: keyset.OfAccount(c.AccountID), Account: c.AccountID,
		Root:    server.RootKey{AccessKeyID: root.Credentials.AccessKeyID, SecretAccessKey: string(root.Credentials.SecretAccessKey)},
		Regions: c.AcceptRegion, Quotas: limits, Managed: policies, NoSelfService: c.SelfService == "off", TrustedProxies: c.TrustedProxies,
		AuditContinue: c.AuditOnError == "continue",
		Log:           log, Metrics: registry, Now: time.Now, Rand: rand.Reader,
	}
	auditLog, err := c.openAudit(p)
	if err != nil {
		return err
	}
	if auditLog != nil {
		config.Audit = auditLog
		defer closing(&err, auditLog)
	}
	objects, store, err := c.objects(p, c.AccountID, data, log)
	if err != nil {
		return err
	}
	if store != nil {
		defer closing(&err, store)
	}
	config.S3 = objects
	extended, err := c.openPlugins(p, filepath.Join(data.path, cacheName), log, registry)
	if err != nil {
		return err
	}
	defer closing(&err, extended)
	extended.join(&config)
	iam, err := server.Open(p.stop, config)
	if err != nil {
		return explain(err, data, root)
	}
	defer closing(&err, iam)
	certificate, err := c.certificate()
	if err != nil {
		return err
	}
	go c.reload(p, log, auditLog, certificate, extended)

	servers := []*http.Server{c.httpServer(iam.Handler(), log)}
	listeners := []net.Listener{certificate.over(netutil.LimitListener(listener, c.MaxConnections))}
	bound := addresses{main: listener.Addr()}
	if c.AdminListen != "" {
		admin, err := net.Listen("tcp", c.AdminListen)
		if err != nil {
			return fmt.Errorf("--admin-listen: %w", err)
		}
		bound.admin = admin.Addr()
		servers = append(servers, c.httpServer(adminHandler(data.store, registry), log))
		listeners = append(listeners, admin)
	}
	if c.AuthorizeListen != "" {
		handler, err := c.authorizer(iam)
		if err != nil {
			return err
		}
		asked, err := c.authorizeListener()
		if err != nil {
			return err
		}
		bound.asked = asked.Addr()
		servers = append(servers, c.httpServer(handler, log))
		listeners = append(listeners, netutil.LimitListener(asked, c.MaxConnections))
	}
	greeting := p.stdout
	if c.AuditLog == "-" {
		greeting = p.stderr // standard output is the log's
	}
	c.greet(greeting, bound, data, root, extended)
	return serveAll(p, log, servers, listeners)
}

func (c *serveCommand) managedPolicies() (*managed.Policies, error) {
	if c.ManagedPolicies == "" {
		return managed.BuiltIn(), nil
	}
	policies, err := managed.Load(c.ManagedPolicies)
	if err != nil {
		return nil, fmt.Errorf("--managed-policies: %w", err)
	}
	return policies, nil
}

func (c *serveCommand) httpServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes, DisableGeneralOptionsHandler: true, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// reachable is where clients on this machine find the server: the host that
// was configured, for a certificate has a name, and the port that was bound.
func reachable(listen string, bound net.Addr) string {
	host, _, _ := net.SplitHostPort(listen)
	_, port, _ := net.SplitHostPort(bound.String()) // both were good enough to listen
	return net.JoinHostPort(host, port)
}

// serveAll serves until the process is told to stop, then lets running requests
// finish, unless it is told again.
func serveAll(p *process, log *slog.Logger, servers []*http.Server, listeners []net.Listener) error {
	failed := make(chan error, len(servers))
	for i, s := range servers {
		go func() { failed <- s.Serve(listeners[i]) }()
	}
	var err error
	select {
	case err = <-failed:
	case <-p.stop.Done():
		p.insist()
		log.Info("stopping")
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.stop), shutdownTimeout)
	defer cancel()
	for _, s := range servers {
		if down := s.Shutdown(ctx); down != nil {
			err = errors.Join(err, down, s.Close())
		}
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func (c *serveCommand) openAudit(p *process) (*audit.Log, error) {
	if c.AuditLog == "" {
		return nil, nil
	}
	return audit.Open(audit.Config{Path: c.AuditLog, Stdout: p.stdout, Now: time.Now, Rand: rand.Reader})
}

// closing closes c and joins its error to that of the function it is deferred in.
func closing(err *error, c io.Closer) { *err = errors.Join(*err, c.Close()) }

// certificate is the server's, or nothing where it serves plain HTTP.
type certificate struct {
	current atomic.Pointer[tls.Certificate]
}

func (c *serveCommand) certificate() (*certificate, error) {
	if c.TLSCert == "" {
		return nil, nil
	}
	held := &certificate{}
	return held, held.load(c.TLSCert, c.TLSKey)
}

func (h *certificate) load(cert, key string) error {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return fmt.Errorf("--tls-cert, --tls-key: %w", err)
	}
	h.current.Store(&pair)
	return nil
}

func (h *certificate) over(l net.Listener) net.Listener {
	if h == nil {
		return l
	}
	return tls.NewListener(l, &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return h.current.Load(), nil
		},
	})
}

// reload does on SIGHUP what operators expect: rotated logs and renewed
// certificates, and plugins, are taken up without a restart.
func (c *serveCommand) reload(p *process, log *slog.Logger, auditLog *audit.Log, held *certificate, extended *plugins) {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-p.stop.Done():
			return
		case <-tick.C:
			extended.follow(p.stop)
			continue
		case <-p.reload:
		}
		err := extended.reload(p.stop)
		if auditLog != nil {
			err = errors.Join(err, auditLog.Reopen())
		}
		if held != nil {
			err = errors.Join(err, held.load(c.TLSCert, c.TLSKey))
		}
		if err != nil {
			log.Error("SIGHUP: what could not be opened anew stays as it was", "error", err)
			continue
		}
		log.Info("SIGHUP: audit log and certificate opened anew, plugins read anew")
		extended.announce()
	}
}

// explain says what to do about an error of the start.
func explain(err error, data *dataDirectory, root *rootcreds.Root) error {
	if errors.Is(err, server.ErrRootKeyStored) {
		return fmt.Errorf("root's access key id %s, from %s, already belongs to a user or a service account in %s; give root another one (iamserver root reset)",
			root.Credentials.AccessKeyID, root.Source, data.path)
	}
	var advice string
	switch {
	case errors.Is(err, identity.ErrAccount):
		advice = "start with --account-id of the data, or with another --data"
	case errors.Is(err, identity.ErrSealer):
		advice = "restore the " + seal.FileName + " that belongs to this data, or set " + seal.EnvironmentVariable + " to it"
	case errors.Is(err, identity.ErrFormat):
		advice = "start the version of iamserver that wrote it"
	default:
		return err
	}
	return fmt.Errorf("%s: %w; %s", data.path, err, advice)
}
