/** The text of `--help`. */
export const USAGE = `Usage: sluice bench URL [OPTIONS], or npm run bench -- URL [OPTIONS]

Puts a WebSocket or TCP server under load, and measures it. URL is ws://HOST:PORT/PATH,
wss://..., or tcp://HOST:PORT and tls://... for raw bytes.

What is done:
      --scenario NAME     echo      the server sends every message back (default)
                          fan-out   one publisher; the server sends its messages to all
                          upload    messages one way; the pong of a ping behind each of
                                    them says that it has arrived
                          connect   connections are opened and closed again
                          idle      connections are opened and held
                          replay    recorded clients are played: see --replay
  -c, --connections N     connections (10; with --replay one for each recorded client);
                          for fan-out the subscribers
  -d, --duration TIME     how long is measured: 30, 30s, 2m (10s; with --replay no limit)
  -m, --in-flight N       messages in flight on a connection at most (1; with -R 256)
  -s, --size SIZE         payload of a message (32): 1KiB, or 32-1KiB (uniform), exp:512
                          (exponential, by its mean), 32@80,1KiB@15,64KiB@5 (weights)
  -R, --rate N            open loop: N messages (or connections) a second over all, each
                          at its time, however slow the replies are; latency counts from
                          the time at which a message should have been sent
  -w, --workers N         driver threads (1)
      --ramp TIME         opens the connections evenly over that time (0)
      --warmup TIME       traffic before the measuring begins (500ms)
      --timeout TIME      for a connection to open and for a reply to come (10s)

What is replayed:
      --replay FILE       plays the clients of a recording of sluice tap --output, with
                          their handshakes, messages and times; a path in the URL takes
                          the place of the recorded ones
      --speed N           divides the recorded times: 2 is twice as fast (1)
      --expect WHAT       same   the recorded replies, in their order
                          count  at least as many replies as recorded (default)
                          none   whatever comes: messages go by the clock alone
                          With same and count a message waits for the replies before it
      --redact RULE       a JSON path ($..id) or /expression/ whose values may differ;
                          may be repeated; the recording's own rules hold anyway

How it is sent:
      --text              text messages instead of binary ones
      --subprotocol NAME  offers a subprotocol; may be repeated
  -H, --header TEXT       'Name: value' in the handshake; may be repeated
      --insecure          takes any certificate
      --resume            resumes the last TLS session that the server has given

What is said:
      --json              the result as JSON on stdout
      --csv               the result as CSV on stdout: a line of names, a line of values
      --assert TEXT       what must hold, as in 'p99<5ms', 'rate>100000', 'errors=0',
                          'handshake.p99<50ms'; may be repeated. Known are p50 (any
                          percentile), mean, min, max and deviation of latency, connect,
                          tls, handshake and lateness, and rate, bytes (a second),
                          messages, errors, closes and unsolicited messages
  -h, --help              this text

Ctrl-C ends the run and prints what has been measured until then.

Exit status: 0 if all went well, 1 if there were errors, closed connections or a
failed assertion, 2 for bad usage, 130 after Ctrl-C.
`;
