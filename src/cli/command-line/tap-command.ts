/** The command `tap`. */
import {
  TAP_DURATION,
  TAP_FRAMES,
  TAP_PAYLOAD,
  TAP_SAMPLE,
} from '../../protocol/admin/command-parameters.ts';
import { CLIENT, CONFIG_OPTIONS, DURATION, ENDPOINT, FILE, NAME, PRINCIPAL } from './shared-options.ts';
import { checkedBy, type CommandSpec } from './spec.ts';

export const TAP = {
  name: 'tap',
  summary: 'shows and records live frames',
  synopsis: ['[OPTIONS]', '--from FILE [OPTIONS]'],
  text: [
    'Shows live frames of the sluice that runs with this configuration, one line each: time, session, direction, opcode, bytes on the wire. Shows reads of tunnels too. Needs admin.token, and admin.tap in the running configuration.',
  ],
  groups: [
    {
      title: 'Sessions to show (all by default; every condition must hold)',
      options: [
        {
          name: 'session',
          value: { name: 'ID', wanted: 'the id of a session' },
          help: 'this session; sluice sessions lists the IDs',
        },
        { name: 'listener', value: NAME, help: 'sessions and tunnels of this listener' },
        { name: 'route', value: NAME, help: 'sessions of this route' },
        { name: 'cluster', value: NAME, help: 'sessions and tunnels of this cluster' },
        { name: 'endpoint', value: ENDPOINT, help: 'sessions and tunnels of this endpoint' },
        {
          name: 'principal',
          value: PRINCIPAL,
          help: 'sessions of this principal, such as jwt:alice or alice',
        },
        { name: 'client', value: CLIENT, help: 'sessions and tunnels of this IP address' },
        {
          name: 'sample',
          value: { name: 'PART', wanted: 'a part, such as 1%', problem: checkedBy(TAP_SAMPLE) },
          help: 'a random share of these sessions, such as 1%',
        },
      ],
    },
    {
      title: 'Details to show',
      options: [
        { name: 'payload', help: 'the contents of messages; needs admin.tap: payload' },
        {
          name: 'max-payload',
          value: { name: 'SIZE', wanted: 'a size, such as 4KiB', problem: checkedBy(TAP_PAYLOAD) },
          help: 'bytes of a message, up to 64KiB; 4KiB by default',
        },
        {
          name: 'redact',
          value: { name: 'RULE', wanted: 'a rule, such as $.password or /[0-9]{16}/' },
          isRepeatable: true,
          help: 'hides matches in payloads: a JSON path such as $.password, or an expression such as /[0-9]{16}/; may be repeated',
        },
        { name: 'hex', help: 'a hex dump below each payload' },
        { name: 'json', help: 'one JSON object per line, as the proxy sends it' },
      ],
    },
    {
      title: 'Output, input and end',
      options: [
        {
          name: 'output',
          value: FILE,
          help: 'records to a file: HTTP Archive (HAR) if its name ends in .har, otherwise JSON lines for sluice bench URL --replay FILE',
        },
        { name: 'force', help: 'replaces an existing file' },
        {
          name: 'duration',
          value: { ...DURATION, problem: checkedBy(TAP_DURATION) },
          help: 'ends after this time, such as 5m',
        },
        {
          name: 'frames',
          value: { name: 'NUMBER', wanted: 'a number', problem: checkedBy(TAP_FRAMES) },
          help: 'ends after this number of frames',
        },
        {
          name: 'from',
          value: { ...FILE, allowsDash: true },
          help: 'reads a recording instead of a live proxy; - is stdin',
        },
      ],
    },
    { title: 'Options', options: CONFIG_OPTIONS },
  ],
  notes: [
    'Exit status: 0 after Ctrl-C, --duration, --frames or the end of a recording; 1 if the proxy refused or ended the tap; 2 for bad usage; 128 plus the number of any other signal.',
  ],
} as const satisfies CommandSpec;
