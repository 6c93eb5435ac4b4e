/** The `--help` texts. */
import type { CommandName } from './arguments.ts';

const CONFIG_OPTIONS = `  -c, --config FILE     YAML or JSON; config/sluice.yaml by default
      --set PATH=VALUE  sets one value over the file and the environment; may be
                        repeated: --set log.level=debug --set listeners.0.address=:8080`;
const HELP_OPTION = `  -h, --help            this text`;

const GENERAL = `Usage: sluice COMMAND [OPTIONS]

An edge proxy and load balancer for WebSockets.

Commands:
  run                   carries traffic until it is told to stop
  check                 shows the errors of a configuration
  print-config          prints the configuration in force, defaults included
  demo                  runs the demo's servers alone
  reload                makes a running sluice read its configuration again
  drain                 makes a running sluice end connections at a pace
  sessions              lists the sessions of a running sluice
  kick                  closes sessions; their clients may come back
  revoke                keeps a principal out, and closes its sessions
  events                prints what was refused or has failed
  status                shows the state of a running sluice
  top                   shows state and rates live
  tap                   shows and records live frames
  bench                 puts a server or a proxy under load: sluice bench --help

Options:
${CONFIG_OPTIONS}
  -h, --help            this text, or the text of a command: sluice run --help
  -V, --version         the version

Every setting outside of lists can also be set by the environment: SLUICE_ and its path
in capitals, such as SLUICE_LOG_LEVEL=debug or SLUICE_ADMIN_ADDRESS=127.0.0.1:9091.
SLUICE_STICKY_SECRET is the secret of the sticky cookies of all clusters.

Exit status: 0 for success, 1 for a bad configuration or a failed start, 2 for
bad usage.
`;

const BY_COMMAND: Readonly<Record<CommandName, string>> = {
  run: `Usage: sluice run [OPTIONS]

Carries traffic until it is told to stop.

Options:
${CONFIG_OPTIONS}
  -t, --test            checks the configuration and ends: the same as sluice check
      --watch           reloads when the configuration or a file that it names changes
      --takeover        takes the place of the sluice that runs with the same admin
                        address, without refusing a connection; that one then drains
${HELP_OPTION}

Signals:
  SIGTERM, SIGINT       stop: end all connections within shutdown.grace; a second
                        signal ends them at once
  SIGHUP                read the configuration again; keep the old one if it is bad
  SIGUSR1               open the log files again
`,
  check: `Usage: sluice check [OPTIONS]

Reads a configuration and every file that it names. Each error is a line of its own on
stderr, as FILE:LINE:COLUMN: MESSAGE. Warnings begin with "warning:".

Options:
${CONFIG_OPTIONS}
${HELP_OPTION}

Exit status: 0 if the configuration can be used, 1 if not.
`,
  'print-config': `Usage: sluice print-config [OPTIONS]

Prints the configuration in force as YAML: the file, the environment and --set, and the
default of every other setting.

Options:
${CONFIG_OPTIONS}
${HELP_OPTION}
`,
  reload: `Usage: sluice reload [OPTIONS]

Makes the sluice that runs with this configuration read it again, and shows the result.
The admin address and admin.token are taken from the configuration.

Options:
${CONFIG_OPTIONS}
${HELP_OPTION}

Exit status: 0 if the new configuration is in use, 1 if the old one stayed.
`,
  drain: `Usage: sluice drain [OPTIONS]

Makes the sluice that runs with this configuration take no new work and end its
connections: WebSockets with the close code 1012, tunnels when no bytes cross.

Options:
      --listener NAME   only connections of this listener
      --cluster NAME    only connections to this cluster
      --endpoint ADDRESS  only connections to this endpoint of the cluster
      --rate RATE       connections a second, such as 100/s, instead of drain.rate; 0
                        ends none
      --deadline TIME   when all others are ended, such as 5m, instead of
                        drain.deadline
      --jitter TIME     max random delay of each end, instead of drain.jitter
      --watch           shows the progress until no connection is left
      --undo            takes new work again
${CONFIG_OPTIONS}
${HELP_OPTION}
`,
  sessions: `Usage: sluice sessions [OPTIONS]

Lists the sessions of the sluice that runs with this configuration, in the order of
their ids, over all workers.

Options:
      --principal NAME  only sessions of this principal, such as jwt:alice; without the
                        kind, as alice, of every kind
      --cluster NAME    only sessions of this cluster
      --client ADDRESS  only sessions of this IP address
      --limit NUMBER    max sessions, up to 1000; 100 by default
      --json            as JSON, as /sessions gives it
${CONFIG_OPTIONS}
${HELP_OPTION}
`,
  kick: `Usage: sluice kick [OPTIONS] ID
       sluice kick [OPTIONS] --principal NAME

Closes a session, or all sessions of a principal. The clients may connect again: sluice
revoke keeps them out.

Options:
      --principal NAME  a principal, such as jwt:alice; without the kind, as alice, of
                        every kind
      --code NUMBER     the close code: 1000, 1001, 1008, 1011 to 1013, or 3000 to 4999;
                        1008 by default
      --reason TEXT     for the client, at most 123 bytes
${CONFIG_OPTIONS}
${HELP_OPTION}

Exit status: 0 if a session was closed, 1 if not.
`,
  revoke: `Usage: sluice revoke [OPTIONS] NAME

Closes all sessions of a principal with the code 1008, and refuses its credentials that
were issued before now. NAME has its kind, as jwt:alice, or stands for every kind, as
alice.

Options:
      --undo            lets the principal in again
${CONFIG_OPTIONS}
${HELP_OPTION}
`,
  events: `Usage: sluice events [OPTIONS]

Prints the last refused and failed events of the sluice that runs with this
configuration, a line each, the newest last. Equal events of a minute are one line.

Options:
      --follow          goes on with new events until it is interrupted
      --limit NUMBER    max lines at first, up to 1000; all that are kept by default
      --json            each as JSON
${CONFIG_OPTIONS}
${HELP_OPTION}
`,
  status: `Usage: sluice status [OPTIONS]

Shows the state of the sluice that runs with this configuration.

Options:
      --json            as JSON, as /status gives it
${CONFIG_OPTIONS}
${HELP_OPTION}
`,
  top: `Usage: sluice top [OPTIONS]

Shows sessions, rates, clusters, endpoints, workers, errors, listeners and the last events
live, on a terminal of at least 60x14. Shows them once if the output is not a terminal.
The last events need admin.token.

Keys:
  1 to 7, Tab           choose the table
  up, down, PgUp, PgDn  scroll
  s, S                  sort by the next column, turn the order round
  /                     show only rows with a text; Esc shows all
  space                 hold the screen; again to go on
  ?                     all keys
  q                     quit

Options:
      --json            one frame as JSON, as /live?once gives it
${CONFIG_OPTIONS}
${HELP_OPTION}
`,
  tap: `Usage: sluice tap [OPTIONS]
       sluice tap --from FILE [OPTIONS]

Shows the frames of sessions of the sluice that runs with this configuration, a line
each, as they cross: time, session, direction, opcode, bytes on the wire. Shows reads of
tunnels, too. Needs admin.token, and admin.tap in the running configuration.

Which sessions (all by default; several conditions must all hold):
      --session ID      this session, as sluice sessions shows it
      --listener NAME   sessions and tunnels of this listener
      --route NAME      sessions of this route
      --cluster NAME    sessions and tunnels of this cluster
      --endpoint ADDRESS  sessions and tunnels of this endpoint
      --principal NAME  sessions of this principal, such as jwt:alice or alice
      --client ADDRESS  sessions and tunnels of this IP address
      --sample PART     a part of these sessions, such as 1%

What is shown of them:
      --payload         what messages contain; needs admin.tap: payload
      --max-payload SIZE  bytes of a message, up to 64KiB; 4KiB by default
      --redact RULE     hides matches in payloads: a JSON path such as $.password, or an
                        expression such as /[0-9]{16}/; may be repeated; with --from, too
      --hex             a hex dump below each payload
      --json            a JSON object a line, as the proxy sends it

Where it goes, and until when:
      --output FILE     records to a file: HTTP Archive (HAR) if its name ends in .har,
                        else lines of JSON, which sluice bench URL --replay FILE takes
      --force           replaces that file if it exists
      --duration TIME   ends after this time, such as 5m
      --frames NUMBER   ends after this number of frames
      --from FILE       reads a recording, or stdin for -, in place of a running sluice

Options:
${CONFIG_OPTIONS}
${HELP_OPTION}

Exit status: 0 after Ctrl-C, --duration, --frames or the end of a recording; 1 if the tap
was refused, or the proxy has ended it; 2 for bad usage; 128 plus the number of another
signal.
`,
  demo: `Usage: sluice demo [OPTIONS]

Runs the WebSocket servers of the demo alone, on the endpoints of the clusters that the
setting demo names.

Options:
${CONFIG_OPTIONS}
${HELP_OPTION}
`,
};

/** Returns the help of one command, or the general help if null. Ends in a newline. */
export function usage(command: CommandName | null): string {
  return command === null ? GENERAL : BY_COMMAND[command];
}
