/** Commands that talk to a running sluice, except `tap`. */
import {
  CLOSE_CODE,
  DRAIN_PARAMETERS,
  PAGE_LIMIT,
  REASON_REMEDY,
  isReason,
} from '../../protocol/admin/command-parameters.ts';
import { CLIENT, CONFIG_OPTIONS, DURATION, ENDPOINT, NAME, PRINCIPAL } from './shared-options.ts';
import { checkedBy, type CommandSpec } from './spec.ts';

const LIMIT = { name: 'NUMBER', wanted: 'a number', problem: checkedBy(PAGE_LIMIT) };

export const RELOAD = {
  name: 'reload',
  summary: 'reloads the configuration of a running sluice',
  synopsis: ['[OPTIONS]'],
  text: [
    'Makes the sluice that runs with this configuration reload it, and shows the result. The command takes the admin address and admin.token from the configuration.',
  ],
  groups: [{ title: 'Options', options: CONFIG_OPTIONS }],
  notes: ['Exit status: 0 if the new configuration took effect, 1 if the old one stays.'],
} as const satisfies CommandSpec;

export const DRAIN = {
  name: 'drain',
  summary: 'drains connections of a running sluice',
  synopsis: ['[OPTIONS]'],
  text: [
    'Makes the sluice that runs with this configuration close the open connections: WebSockets with the close code 1012, tunnels when they are idle. New WebSockets are refused with 503, and a layer 4 listener stops listening. Plain requests are still served, except by a cluster or an endpoint that drains.',
  ],
  groups: [
    {
      title: 'Options',
      options: [
        { name: 'listener', value: NAME, help: 'only connections of this listener' },
        { name: 'cluster', value: NAME, help: 'only connections to this cluster' },
        { name: 'endpoint', value: ENDPOINT, help: 'only connections to this endpoint of the cluster' },
        {
          name: 'rate',
          value: {
            name: 'RATE',
            wanted: 'a rate, such as 100/s',
            problem: checkedBy(DRAIN_PARAMETERS.rate),
          },
          help: 'connections per second, such as 100/s, instead of drain.rate; 0 closes none before the deadline',
        },
        {
          name: 'deadline',
          value: { ...DURATION, problem: checkedBy(DRAIN_PARAMETERS.deadline) },
          help: 'time until the remaining connections are closed, such as 5m, instead of drain.deadline',
        },
        {
          name: 'jitter',
          value: { ...DURATION, problem: checkedBy(DRAIN_PARAMETERS.jitter) },
          help: 'max random delay of each close, instead of drain.jitter',
        },
        { name: 'watch', help: 'shows the progress until no connection remains' },
        { name: 'undo', help: 'accepts new connections again' },
        ...CONFIG_OPTIONS,
      ],
    },
  ],
} as const satisfies CommandSpec;

export const SESSIONS = {
  name: 'sessions',
  summary: 'lists the sessions of a running sluice',
  synopsis: ['[OPTIONS]'],
  text: [
    'Lists the sessions of the sluice that runs with this configuration, over all workers, sorted by ID.',
  ],
  groups: [
    {
      title: 'Options',
      options: [
        {
          name: 'principal',
          value: PRINCIPAL,
          help: 'only sessions of this principal, such as jwt:alice; alice without a kind matches every kind',
        },
        { name: 'client', value: CLIENT, help: 'only sessions of this IP address' },
        { name: 'listener', value: NAME, help: 'only sessions of this listener' },
        { name: 'cluster', value: NAME, help: 'only sessions of this cluster' },
        { name: 'endpoint', value: ENDPOINT, help: 'only sessions of this endpoint' },
        { name: 'limit', value: LIMIT, help: 'max sessions, up to 1000; 100 by default' },
        { name: 'json', help: 'as JSON, as /sessions returns it' },
        ...CONFIG_OPTIONS,
      ],
    },
  ],
} as const satisfies CommandSpec;

export const KICK = {
  name: 'kick',
  summary: 'closes sessions; their clients may reconnect',
  synopsis: ['[OPTIONS] ID', '[OPTIONS] --principal NAME'],
  text: [
    'Closes a session, or all sessions of a principal. The clients may reconnect: to block them, use sluice revoke.',
  ],
  operand: { name: 'ID', wanted: 'the id of a session', max: 1 },
  groups: [
    {
      title: 'Options',
      options: [
        {
          name: 'principal',
          value: PRINCIPAL,
          help: 'a principal, such as jwt:alice; alice without a kind matches every kind',
        },
        {
          name: 'code',
          value: { name: 'NUMBER', wanted: 'a close code', problem: checkedBy(CLOSE_CODE) },
          help: 'the close code: 1000, 1001, 1008, 1011 to 1013, or 3000 to 4999; 1008 by default',
        },
        {
          name: 'reason',
          value: {
            name: 'TEXT',
            wanted: 'a text',
            problem: (text: string) => (isReason(text) ? null : REASON_REMEDY),
          },
          help: 'reason sent to the client, at most 123 bytes',
        },
        ...CONFIG_OPTIONS,
      ],
    },
  ],
  notes: ['Exit status: 0 if a session was closed, 1 if not.'],
} as const satisfies CommandSpec;

export const REVOKE = {
  name: 'revoke',
  summary: 'blocks a principal and closes its sessions',
  synopsis: ['[OPTIONS] NAME'],
  text: [
    'Closes all sessions of a principal with the code 1008, and refuses its credentials that were issued before now. NAME includes the kind, such as jwt:alice; alice without a kind matches every kind.',
  ],
  operand: { ...PRINCIPAL, max: 1 },
  groups: [
    {
      title: 'Options',
      options: [{ name: 'undo', help: 'admits the principal again' }, ...CONFIG_OPTIONS],
    },
  ],
} as const satisfies CommandSpec;

export const EVENTS = {
  name: 'events',
  summary: 'prints recent refusals and failures',
  synopsis: ['[OPTIONS]'],
  text: [
    'Prints recent refusals and failures of the sluice that runs with this configuration, one line each, newest last. Equal events within a minute share a line.',
  ],
  groups: [
    {
      title: 'Options',
      options: [
        { name: 'follow', help: 'prints new events until interrupted' },
        {
          name: 'limit',
          value: LIMIT,
          help: 'max lines of the first output, up to 1000; all by default',
        },
        { name: 'json', help: 'one JSON object per line' },
        ...CONFIG_OPTIONS,
      ],
    },
  ],
} as const satisfies CommandSpec;

export const STATUS = {
  name: 'status',
  summary: 'shows the state of a running sluice',
  synopsis: ['[OPTIONS]'],
  text: ['Shows the state of the sluice that runs with this configuration.'],
  groups: [
    {
      title: 'Options',
      options: [{ name: 'json', help: 'as JSON, as /status returns it' }, ...CONFIG_OPTIONS],
    },
  ],
} as const satisfies CommandSpec;

export const TOP = {
  name: 'top',
  summary: 'shows state and rates live',
  synopsis: ['[OPTIONS]'],
  text: [
    'Shows sessions, rates, clusters, endpoints, workers, errors, listeners and the last events live, on a terminal of at least 60x14. Shows them once if the output is not a terminal. The last events need admin.token.',
  ],
  sections: [
    {
      title: 'Keys',
      rows: [
        ['1 to 7, Tab', 'choose the table'],
        ['up, down, PgUp, PgDn', 'scroll'],
        ['s, S', 'sort by the next column, reverse the order'],
        ['/', 'show only rows with a text; Esc shows all'],
        ['space', 'pause; again to continue'],
        ['?', 'all keys'],
        ['q', 'quit'],
      ],
    },
  ],
  groups: [
    {
      title: 'Options',
      options: [{ name: 'json', help: 'one frame as JSON, as /live?once returns it' }, ...CONFIG_OPTIONS],
    },
  ],
} as const satisfies CommandSpec;
