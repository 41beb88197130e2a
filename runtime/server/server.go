package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"iamserver/generated/iamapi"
	"iamserver/generated/reference"
	"iamserver/generated/stsapi"
	"iamserver/runtime/arn"
	"iamserver/runtime/authz"
	"iamserver/runtime/iam"
	"iamserver/runtime/identity"
	"iamserver/runtime/managed"
	"iamserver/runtime/permissions"
	"iamserver/runtime/policy"
	"iamserver/runtime/sigv4"
	"iamserver/runtime/storage"
	"iamserver/runtime/sts"
)

// A Config says what a Server serves. Store, Sealer, Account and Root are required.
type Config struct {
	// Store holds the account. The caller closes it after the Server, and lets nobody
	// else write to it meanwhile: what was read is kept until the Server changes it.
	Store storage.Store
	// Sealer seals the secrets in it.
	Sealer identity.Sealer
	// Account is the account id, 12 digits.
	Account string
	// Root is the key of the account's root.
	Root RootKey
	// Regions are the regions accepted in credential scopes; none means any.
	Regions []string
	// Quotas are the limits of the account; nil means those of the specification.
	Quotas *iamapi.Quotas
	// Managed are the policies that no request can change; nil means those that
	// come with the server.
	Managed *managed.Policies
	// NoSelfService takes from users what the specification lets them do to
	// themselves without an Allow: AWS's behaviour.
	NoSelfService bool
	// TrustedProxies are the addresses of proxies whose X-Forwarded-For and
	// X-Forwarded-Proto count; from all others they are ignored.
	TrustedProxies []netip.Prefix
	// Hook is asked after the policies about each request, such as plugins; nil is
	// none.
	Hook authz.Hook
	// Validator is asked about each policy document before it is stored; nil is none.
	Validator iam.Validator
	// Generator makes access keys in place of the server; nil is none.
	Generator iam.Generator
	// S3 says how S3 requests are served; nil means that Handler serves IAM and STS
	// only, and Authorize what the zero S3 says.
	S3 *S3
	// Audit receives a record of every request; nil means no audit log.
	Audit Auditor
	// AuditContinue carries out writes that cannot be audited, which are
	// otherwise refused with ServiceUnavailable.
	AuditContinue bool
	// Log receives what operators should know; nil means nothing is logged.
	Log *slog.Logger
	// Metrics receives the server's metrics; nil means they are not kept.
	Metrics prometheus.Registerer
	// Now is the clock; required.
	Now func() time.Time
	// Rand is what ids and secrets are made from; nil means crypto/rand.
	Rand io.Reader
}

// A RootKey is the access key of the account's root, which is configured and
// never stored.
type RootKey struct {
	AccessKeyID, SecretAccessKey string
}

// A Server is the IAM and STS of one account.
type Server struct {
	config      Config
	log         *slog.Logger
	changes     *changes
	store       storage.Store // marks what it changes
	recent      *recent
	db          *identity.DB
	credentials *credentials
	verifier    *sigv4.Verifier[*credential]
	decider     authz.Engine
	permissions *permissions.Compiler
	handlers    *iam.Service
	services    map[string]*service // by signing name
	others      sync.Map            // *sigv4.Verifier of other services, by signing name
	objects     *objectStore        // nil without S3
	large       chan struct{}       // holds as many as there are large bodies being read
	used        *lastUse
	metrics     *metrics
	stop        context.CancelFunc
	done        sync.WaitGroup
}

// ErrRootKeyStored is returned by Open when the access key id of root belongs
// to a user or a service account.
var ErrRootKeyStored = errors.New("server: the access key id of root is already a user's or a service account's")

// Open returns a Server of what is in cfg.Store. Its errors are those of the
// store and of identity.Open, and ErrRootKeyStored.
func Open(ctx context.Context, cfg Config) (*Server, error) {
	if cfg.Root.AccessKeyID == "" || cfg.Root.SecretAccessKey == "" {
		return nil, errors.New("server: no root key is configured")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	if cfg.Managed == nil {
		cfg.Managed = managed.BuiltIn()
	}
	quotas := iamapi.DefaultQuotas()
	if cfg.Quotas != nil {
		quotas = *cfg.Quotas
	}
	if n := quotas.GroupsPerUserQuota; n < 1 || n > identity.MaxGroupsPerUser {
		return nil, fmt.Errorf("server: GroupsPerUserQuota must be 1 to %d: a user is deleted, with its memberships, in one transaction", identity.MaxGroupsPerUser)
	}
	s := &Server{config: cfg, log: cfg.Log, changes: newChanges(), metrics: newMetrics(cfg.Metrics), used: newLastUse(), large: make(chan struct{}, largeBodies)}
	s.store = &markingStore{Store: cfg.Store, changes: s.changes}
	s.recent = newRecent(s.store, s.changes)
	db, err := identity.Open(ctx, s.store, identity.Config{Account: cfg.Account, Sealer: cfg.Sealer, Rand: cfg.Rand, Now: cfg.Now})
	if err != nil {
		return nil, err
	}
	s.db = db
	if err := s.rootKeyFree(ctx); err != nil {
		return nil, err
	}
	created, err := s.created(ctx)
	if err != nil {
		return nil, err
	}
	s.permissions = permissions.NewCompiler(vocabulary(), cfg.Managed)
	s.decider = authz.Engine{SelfService: !cfg.NoSelfService, Hook: cfg.Hook}
	s.credentials = newCredentials(s)
	s.verifier = sigv4.New(s.credentials, cfg.Now, sigv4.Config{
		Profiles: []sigv4.Profile{{Service: iamapi.Service.Name}, {Service: stsapi.Service.Name}},
		Regions:  cfg.Regions,
	})
	s.handlers = iam.New(iam.Config{
		Account: cfg.Account, RootAccessKeyID: cfg.Root.AccessKeyID, RootCreated: created,
		Quotas: quotas, Managed: cfg.Managed, Now: cfg.Now, LastUsed: s.used.get,
		Validator: cfg.Validator, Generator: cfg.Generator,
	})
	s.services = map[string]*service{
		iamapi.Service.Name: newService(s.metrics, s.permissions.Vocabulary(), iamapi.Table(s.handlers), func(tx *identity.Tx, c *call) *iam.Tx {
			return &iam.Tx{Tx: tx, Caller: c.principal, Key: c.prepared.Key}
		}),
		stsapi.Service.Name: newService(s.metrics, s.permissions.Vocabulary(), stsapi.Table(sts.Service{}), func(_ *identity.Tx, c *call) sts.Tx {
			return sts.Tx{Caller: c.principal}
		}),
	}
	if cfg.S3 != nil && cfg.S3.Upstream.Endpoint != nil {
		if s.objects, err = newObjectStore(s, *cfg.S3); err != nil {
			return nil, err
		}
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.done.Go(func() { s.storeLastUse(background) })
	if cfg.Audit != nil {
		s.done.Go(func() { s.reportDropped(background) })
	}
	return s, nil
}

// vocabulary is the actions that policies name here.
func vocabulary() *policy.Vocabulary {
	var names []string
	for i := range reference.Catalogue.Actions {
		names = append(names, reference.Catalogue.Actions[i].String())
	}
	return policy.NewVocabulary(names)
}

// Close stores what is only in memory yet, the latest use of access keys. The
// HTTP server must have stopped before.
func (s *Server) Close() error {
	s.stop()
	s.done.Wait()
	return s.flushLastUse(context.Background())
}

// Handler serves IAM and STS at the root path, and S3 if Config.S3 has an Upstream.
func (s *Server) Handler() http.Handler {
	if s.objects == nil {
		return http.HandlerFunc(s.serveHTTP)
	}
	return s.besides(s.objects)
}

// besides serves S3 beside IAM and STS.
func (s *Server) besides(objects *objectStore) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if objects.isAPI(r) {
			s.serveHTTP(w, r)
		} else {
			objects.serveHTTP(w, r)
		}
	})
}

// rootKeyFree makes sure that one access key id never means two principals.
func (s *Server) rootKeyFree(ctx context.Context) error {
	return s.db.View(ctx, func(tx *identity.Tx) error {
		taken, err := tx.AccessKeyIDTaken(s.config.Root.AccessKeyID)
		if err != nil {
			return fmt.Errorf("look up root's access key: %w", err)
		}
		if taken {
			return ErrRootKeyStored
		}
		return nil
	})
}

// created returns when the account was created.
func (s *Server) created(ctx context.Context) (created time.Time, err error) {
	err = s.db.View(ctx, func(tx *identity.Tx) error {
		created, err = tx.AccountCreated()
		return err
	})
	return created, err
}

// root is the principal of the root key.
func (s *Server) root() *authz.Principal {
	return &authz.Principal{
		Type: authz.Root, Account: s.config.Account, ARN: arn.Root(s.config.Account), ID: s.config.Account,
		AccessKeyID: s.config.Root.AccessKeyID,
	}
}
