package hooks_test

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"iamserver/plugins/hooks"
	"iamserver/plugins/host"
	"iamserver/runtime/server"
)

// A program that embeds the server loads plugins and has the server ask them. It
// closes the server first, then the plugins, then their host.
func ExampleOf() {
	open := func(ctx context.Context, config server.Config, plugins []host.Config) (*server.Server, func() error, error) {
		h, err := host.New(host.Options{Now: time.Now, Log: slog.Default()})
		if err != nil {
			return nil, nil, err
		}
		set, err := h.NewSet(ctx, plugins)
		if err != nil {
			return nil, nil, errors.Join(err, h.Close(ctx))
		}
		asked := hooks.Of(set)
		config.Hook, config.Validator, config.Generator = asked, asked, asked
		s, err := server.Open(ctx, config)
		if err != nil {
			return nil, nil, errors.Join(err, set.Close(ctx), h.Close(ctx))
		}
		return s, func() error { return errors.Join(s.Close(), set.Close(ctx), h.Close(ctx)) }, nil
	}
	_ = open
}
