/** The command `bench`. The load generator itself checks the values (bench/options). */
import { FILE, HELP } from './shared-options.ts';
import type { CommandSpec, ValueSpec } from './spec.ts';

const COUNT: ValueSpec = { name: 'N', wanted: 'a number' };
const TIME: ValueSpec = { name: 'TIME', wanted: 'a time' };

export const BENCH = {
  name: 'bench',
  summary: 'load-tests a server or a proxy',
  synopsis: ['URL [OPTIONS]'],
  text: [
    'Load-tests a WebSocket or TCP server. URL is ws://HOST:PORT/PATH or wss://..., or tcp://HOST:PORT or tls://... for raw bytes.',
  ],
  operand: { name: 'URL', wanted: 'a URL', max: 1 },
  groups: [
    {
      title: 'Scenario and load',
      options: [
        {
          name: 'scenario',
          value: {
            name: 'NAME',
            wanted: 'a name',
            words: {
              echo: 'the server sends every message back (default)',
              'fan-out': 'one publisher; the server sends its messages to all',
              upload: 'messages one way; the pong of a ping after each message confirms its arrival',
              connect: 'opens and closes connections',
              idle: 'opens connections and holds them',
              replay: 'plays recorded clients: see --replay',
            },
          },
          help: 'the work of the clients',
        },
        {
          name: 'connections',
          short: 'c',
          value: COUNT,
          help: 'connections (10; with --replay one per recorded client); with fan-out, subscribers',
        },
        {
          name: 'duration',
          short: 'd',
          value: TIME,
          help: 'measured time: 30, 30s, 2m (10s; with --replay no limit)',
        },
        {
          name: 'in-flight',
          short: 'm',
          value: COUNT,
          help: 'max messages in flight per connection (1; with -R 256)',
        },
        {
          name: 'size',
          short: 's',
          value: { name: 'SIZE', wanted: 'a size' },
          help: 'payload of a message (32): 1KiB, or 32-1KiB (uniform), exp:512 (exponential, by its mean), 32@80,1KiB@15,64KiB@5 (weights)',
        },
        {
          name: 'rate',
          short: 'R',
          value: COUNT,
          help: 'open loop: N messages (or connections) per second in total, sent on time however slow the replies are; latency counts from the time at which a message was due',
        },
        { name: 'workers', short: 'w', value: COUNT, help: 'driver threads (1)' },
        { name: 'ramp', value: TIME, help: 'opens the connections evenly over this time (0)' },
        { name: 'warmup', value: TIME, help: 'traffic before the measurement (500ms)' },
        { name: 'timeout', value: TIME, help: 'max time to open a connection or to get a reply (10s)' },
      ],
    },
    {
      title: 'Replay',
      options: [
        {
          name: 'replay',
          value: FILE,
          help: 'plays the clients of a recording of sluice tap --output, with their handshakes, messages and times; a path in the URL replaces the recorded paths',
        },
        {
          name: 'speed',
          value: COUNT,
          help: 'divides the recorded times: 2 is twice as fast (1)',
        },
        {
          name: 'expect',
          value: {
            name: 'WHAT',
            wanted: 'a word',
            words: {
              same: 'the recorded replies, in order',
              count: 'at least as many replies as recorded (default)',
              none: 'any replies: messages are sent by the clock alone',
            },
          },
          help: 'the replies to wait for; with same and count, a message waits for earlier replies',
        },
        {
          name: 'redact',
          value: { name: 'RULE', wanted: 'a rule' },
          isRepeatable: true,
          help: "a JSON path ($..id) or /expression/ whose values may differ; may be repeated; the recording's own rules always apply",
        },
      ],
    },
    {
      title: 'Messages and handshakes',
      options: [
        { name: 'text', help: 'text messages instead of binary ones' },
        {
          name: 'subprotocol',
          value: { name: 'NAME', wanted: 'a name' },
          isRepeatable: true,
          help: 'offers a subprotocol; may be repeated',
        },
        {
          name: 'header',
          short: 'H',
          value: { name: 'TEXT', wanted: 'a header' },
          isRepeatable: true,
          help: "'Name: value' in the handshake; may be repeated",
        },
        { name: 'insecure', help: 'accepts every certificate' },
        { name: 'resume', help: 'resumes the last TLS session from the server' },
      ],
    },
    {
      title: 'Output',
      options: [
        { name: 'json', help: 'the result as JSON on stdout' },
        { name: 'csv', help: 'the result as CSV on stdout: a line of names, a line of values' },
        {
          name: 'assert',
          value: { name: 'TEXT', wanted: 'a condition' },
          isRepeatable: true,
          help: "a condition: 'p99<5ms', 'rate>100000', 'errors=0', 'handshake.p99<50ms'; may be repeated. Metrics: p50 (any percentile), mean, min, max and deviation of latency, connect, tls, handshake and lateness; rate, bytes (per second), messages, errors, closes and unsolicited messages",
        },
        HELP,
      ],
    },
  ],
  notes: [
    'Ctrl-C ends the run and prints the results so far.',
    'Exit status: 0 for success, 1 for errors, closed connections or a failed assertion, 2 for bad usage, 130 after Ctrl-C.',
  ],
} as const satisfies CommandSpec;
