/** The text of `--help`. */
export const USAGE = `Usage: sluice bench URL [OPTIONS], or npm run bench -- URL [OPTIONS]

Load-tests a WebSocket or TCP server. URL is ws://HOST:PORT/PATH or wss://..., or
tcp://HOST:PORT or tls://... for raw bytes.

Scenario and load:
      --scenario NAME     echo      the server sends every message back (default)
                          fan-out   one publisher; the server sends its messages to all
                          upload    messages one way; the pong of a ping after each
                                    message confirms its arrival
                          connect   opens and closes connections
                          idle      opens connections and holds them
                          replay    plays recorded clients: see --replay
  -c, --connections N     connections (10; with --replay one per recorded client);
                          with fan-out, subscribers
  -d, --duration TIME     measured time: 30, 30s, 2m (10s; with --replay no limit)
  -m, --in-flight N       max messages in flight per connection (1; with -R 256)
  -s, --size SIZE         payload of a message (32): 1KiB, or 32-1KiB (uniform), exp:512
                          (exponential, by its mean), 32@80,1KiB@15,64KiB@5 (weights)
  -R, --rate N            open loop: N messages (or connections) per second in total,
                          sent on time however slow the replies are; latency counts from
                          the time at which a message was due
  -w, --workers N         driver threads (1)
      --ramp TIME         opens the connections evenly over this time (0)
      --warmup TIME       traffic before the measurement (500ms)
      --timeout TIME      max time to open a connection or to get a reply (10s)

Replay:
      --replay FILE       plays the clients of a recording of sluice tap --output, with
                          their handshakes, messages and times; a path in the URL
                          replaces the recorded paths
      --speed N           divides the recorded times: 2 is twice as fast (1)
      --expect WHAT       same   the recorded replies, in order
                          count  at least as many replies as recorded (default)
                          none   any replies: messages are sent by the clock alone
                          With same and count a message waits for earlier replies
      --redact RULE       a JSON path ($..id) or /expression/ whose values may differ;
                          may be repeated; the recording's own rules always apply

Messages and handshakes:
      --text              text messages instead of binary ones
      --subprotocol NAME  offers a subprotocol; may be repeated
  -H, --header TEXT       'Name: value' in the handshake; may be repeated
      --insecure          accepts every certificate
      --resume            resumes the last TLS session from the server

Output:
      --json              the result as JSON on stdout
      --csv               the result as CSV on stdout: a line of names, a line of values
      --assert TEXT       a condition: 'p99<5ms', 'rate>100000', 'errors=0',
                          'handshake.p99<50ms'; may be repeated. Metrics: p50 (any
                          percentile), mean, min, max and deviation of latency, connect,
                          tls, handshake and lateness; rate, bytes (per second),
                          messages, errors, closes and unsolicited messages
  -h, --help              this text

Ctrl-C ends the run and prints the results so far.

Exit status: 0 for success, 1 for errors, closed connections or a
failed assertion, 2 for bad usage, 130 after Ctrl-C.
`;
