/** Writes the configuration of a plan, as a person would. */
import { escapeReferences } from '../../config/syntax/outside/references.ts';
import { formatAddress } from '../../core/address.ts';
import type { EdgePlan } from './edge-plan.ts';

interface EdgeConfigOptions {
  /** Comment lines at the top, without `#`. */
  readonly heading: readonly string[];
  /** The file with `admin.token`, seen from the configuration: a name without quotes. Null for no token. */
  readonly tokenFile: string | null;
  /** Whether the log is for a person at a terminal. */
  readonly isPretty: boolean;
}

/** Returns the configuration as YAML. */
export function edgeConfig(plan: EdgePlan, { heading, tokenFile, isPretty }: EdgeConfigOptions): string {
  return [
    ...heading.map((line) => `# ${line}`),
    '',
    '# Metrics, health and the status page: keep this address private.',
    'admin:',
    `  address: ${quoted(formatAddress(plan.admin))}`,
    ...(tokenFile === null
      ? []
      : [`  token: { file: ${tokenFile} } # needed by commands that change something`]),
    ...(isPretty
      ? ['', '# Lines for people. Without this setting, the log has JSON lines.', 'log: { format: pretty }']
      : []),
    '',
    'listeners:',
    ...webListener(plan),
    ...plan.tunnels.flatMap(({ listen }, index) => [
      `  - name: ${tunnelName(index)}`,
      '    mode: l4 # tunnels bytes',
      `    address: ${quoted(formatAddress(listen))}`,
      `    cluster: ${tunnelName(index)}`,
    ]),
    '',
    'clusters:',
    '  - name: app',
    ...(plan.targets.some(({ tls }) => tls) ? ['    tls: {}'] : []),
    ...(plan.targets.length > 1 ? ['    balancer: least_connections'] : []),
    '    endpoints:',
    ...plan.targets.map(({ address }) => `      - ${quoted(formatAddress(address))}`),
    ...plan.tunnels.flatMap(({ to }, index) => [
      `  - name: ${tunnelName(index)}`,
      '    endpoints:',
      `      - ${quoted(formatAddress(to))}`,
    ]),
    '',
  ].join('\n');
}

function webListener({ listen, host, certificate }: EdgePlan): string[] {
  return [
    '  - name: web',
    '    mode: l7 # WebSockets and HTTP',
    `    address: ${quoted(formatAddress(listen))}`,
    ...(certificate === null
      ? []
      : ['    tls:', `      cert: ${quoted(certificate.cert)}`, `      key: ${quoted(certificate.key)}`]),
    '    routes: # the first match wins',
    host === null ? '      - match: {} # every request' : `      - match: { host: ${quoted(host)} }`,
    '        cluster: app',
  ];
}

function tunnelName(index: number): string {
  return `tcp-${index + 1}`;
}

/**
 * Quotes a text for YAML: single quotes for plain text, and double quotes if it has control characters. The
 * loader reads exactly this text: a `${` is no reference to the environment.
 */
function quoted(text: string): string {
  const escaped = escapeReferences(text);
  return /^[ -~]*$/.test(escaped) ? `'${escaped.replaceAll("'", "''")}'` : JSON.stringify(escaped);
}
