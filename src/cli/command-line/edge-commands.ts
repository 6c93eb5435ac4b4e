/** Commands that make a configuration from a few options. */
import { FILE, HELP } from './shared-options.ts';
import type { CommandSpec, OptionSpec, ValueSpec } from './spec.ts';

const MAX_TARGETS = 64;

const ADDRESS: ValueSpec = { name: 'ADDRESS', wanted: 'an address, such as 127.0.0.1:8080' };

/** Options of both commands. */
const EDGE_OPTIONS = [
  {
    name: 'listen',
    value: ADDRESS,
    help: 'the address for clients; 127.0.0.1:8080 by default; :8080 is for all interfaces',
  },
  {
    name: 'host',
    value: { name: 'HOST', wanted: 'a host name' },
    help: 'serves only this host name, such as chat.example.com or *.example.com; others get 404',
  },
  { name: 'cert', value: FILE, help: 'serves TLS with this certificate chain (PEM); needs --key' },
  { name: 'key', value: FILE, help: "the certificate's private key (PEM)" },
  {
    name: 'tcp',
    value: { name: 'PORT:HOST:PORT', wanted: 'PORT:HOST:PORT, such as 5432:db:5432' },
    isRepeatable: true,
    help: 'also tunnels a local port to a server, as ssh -L does; may be repeated',
  },
  {
    name: 'admin',
    value: { ...ADDRESS, wanted: 'an address, such as 127.0.0.1:9480' },
    help: 'the address of the status page and metrics; 127.0.0.1:9480 by default',
  },
] as const satisfies readonly OptionSpec[];

const TARGETS = {
  name: 'TARGET',
  wanted: 'a port or an address, such as 3000 or 10.0.0.5:3000',
  max: MAX_TARGETS,
};

export const TO = {
  name: 'to',
  summary: 'runs a proxy in front of a server: sluice to 3000',
  synopsis: ['TARGET... [OPTIONS]'],
  text: [
    'Runs a WebSocket and HTTP proxy in front of a server, without a configuration file. TARGET is a port of this machine (127.0.0.1 or ::1), HOST:PORT, a URL such as http://HOST:PORT, or unix:/PATH. Connections are balanced over several targets.',
    'The server need not run yet. Until it does, requests get 502.',
  ],
  operand: TARGETS,
  examples: [
    ['sluice to 3000', 'http://127.0.0.1:8080/ and ws://127.0.0.1:8080/ lead to port 3000'],
    ['sluice to 3000 3001 --listen :8080', 'all interfaces, balanced over two servers'],
    ['sluice to 3000 --tcp 5432:db:5432', 'also tunnels port 5432 to db'],
    ['sluice to 3000 --print > sluice.yaml', 'the same as a file, for sluice run'],
  ],
  groups: [
    {
      title: 'Options',
      options: [
        ...EDGE_OPTIONS,
        { name: 'print', help: 'prints the configuration instead of running it' },
        HELP,
      ],
    },
  ],
  notes: [
    'sluice top and sluice status show this proxy. sluice sessions, events, tap and all commands that change something need a token: set SLUICE_ADMIN_TOKEN for both processes.',
    'For sluice tap, also start the proxy with SLUICE_ADMIN_TAP=headers, or payload.',
    'If the default admin address is taken, the next free port replaces it: add --set admin.address=ADDRESS to these commands.',
  ],
} as const satisfies CommandSpec;

export const INIT = {
  name: 'init',
  summary: 'writes a configuration: asks five questions, or none with --yes',
  synopsis: ['[TARGET...] [OPTIONS]'],
  text: [
    'Writes a commented sluice.yaml, checks it, and prints the next command. At a terminal, asks what no argument answers. TARGET is as in sluice to.',
    'The token of the admin address goes into admin.token beside it, readable by you only. The first line of sluice.yaml names the JSON Schema for your editor: that file of node_modules/sluice, or else a new sluice.schema.json. An existing admin.token keeps its token.',
  ],
  operand: TARGETS,
  examples: [
    ['sluice init', 'asks'],
    ['sluice init 3000 --host chat.example.com --yes', 'asks nothing: takes defaults for the rest'],
  ],
  groups: [
    {
      title: 'Options',
      options: [
        ...EDGE_OPTIONS,
        {
          name: 'no-token',
          help: 'no token for the admin address: commands such as sluice reload are then refused',
        },
        {
          name: 'output',
          value: FILE,
          help: 'the file to write, in an existing folder; sluice.yaml by default',
        },
        { name: 'force', help: 'replaces an existing file' },
        { name: 'yes', short: 'y', help: 'asks nothing: defaults for what no argument answers' },
        HELP,
      ],
    },
  ],
} as const satisfies CommandSpec;
