// SPDX-License-Identifier: Apache-2.0

// The OpenTelemetry collector's own OTLP receiver.  What it takes is printed in the collector's own JSON, a line for
// each request; first comes the address that it listens on.  The collector whole would add configuration files, queues
// and telemetry about itself, and cost several times as much to build.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
)

var output sync.Mutex

func show(text []byte, err error) error {
	output.Lock()
	defer output.Unlock()
	if err == nil {
		_, err = fmt.Printf("%s\n", text)
	}
	return err
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

func run(ctx context.Context) error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	factory := otlpreceiver.NewFactory()
	config := factory.CreateDefaultConfig()
	chosen := map[string]any{"protocols": map[string]any{"http": map[string]any{"endpoint": address}}}
	if err := confmap.NewFromStringMap(chosen).Unmarshal(config); err != nil {
		return err
	}
	traces, err := consumer.NewTraces(func(_ context.Context, taken ptrace.Traces) error {
		return show((&ptrace.JSONMarshaler{}).MarshalTraces(taken))
	})
	if err != nil {
		return err
	}
	metrics, err := consumer.NewMetrics(func(_ context.Context, taken pmetric.Metrics) error {
		return show((&pmetric.JSONMarshaler{}).MarshalMetrics(taken))
	})
	if err != nil {
		return err
	}
	settings := receiver.Settings{
		ID:                component.NewID(factory.Type()),
		TelemetrySettings: componenttest.NewNopTelemetrySettings(),
	}
	// Both are one server: the factory shares it between those with the same configuration.
	ofTraces, err := factory.CreateTraces(ctx, settings, config, traces)
	if err != nil {
		return err
	}
	ofMetrics, err := factory.CreateMetrics(ctx, settings, config, metrics)
	if err != nil {
		return err
	}
	host := componenttest.NewNopHost()
	if err := ofTraces.Start(ctx, host); err != nil {
		return err
	}
	if err := ofMetrics.Start(ctx, host); err != nil {
		return err
	}
	if err := show([]byte(address), nil); err != nil {
		return err
	}
	_, _ = os.Stdin.Read(make([]byte, 1)) // until nobody wants it any more
	return ofTraces.Shutdown(ctx)
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
