/** The Markdown of docs/reference/configuration.md. */
import { format, resolveConfig } from 'prettier';
import { configKeys, type ConfigKey } from './config-keys.ts';

const BEGIN = '<!-- Made by npm run docs:reference. -->';

/** Sections and the prefixes of their paths. A key belongs to the section with the longest match. */
const SECTIONS: readonly (readonly [title: string, ...prefixes: string[]])[] = [
  ['Listeners, clusters and included files', ''],
  ['Listeners', 'listeners.'],
  ['TLS of listeners', 'listeners.tls'],
  ['Access', 'listeners.access'],
  ['Basic authentication', 'listeners.access.basic'],
  ['JSON Web Tokens', 'listeners.access.jwt'],
  ['Forward authentication', 'listeners.access.forwardAuth'],
  ['Limits', 'listeners.limits'],
  ['WebSocket sessions', 'listeners.websocket'],
  ['Plain HTTP', 'listeners.http'],
  ['Paths', 'listeners.paths'],
  ['Routes', 'listeners.routes'],
  ['Conditions of a route', 'listeners.routes.match'],
  ['Changes to requests and responses', 'listeners.routes.rewrite', 'listeners.routes.headers'],
  [
    'Files, fixed responses and redirects',
    'listeners.routes.static',
    'listeners.routes.respond',
    'listeners.routes.redirect',
  ],
  ['Clusters', 'clusters.'],
  ['Endpoints', 'clusters.endpoints'],
  ['Sticky sessions', 'clusters.sticky'],
  ['Health checks', 'clusters.healthCheck'],
  ['Outlier detection', 'clusters.outlier'],
  ['Name resolution', 'clusters.resolve'],
  ['TLS to endpoints', 'clusters.tls'],
  ['Workers', 'workers'],
  ['Shutdown and drain', 'shutdown', 'drain'],
  ['Admin address and metrics', 'admin', 'metrics'],
  ['Logs', 'log'],
  ['Tracing', 'tracing'],
  ['Redis and revocations', 'redis', 'revocations'],
  ['Demo', 'demo'],
];

/** Returns the expected page: its hand-written text, and all keys. */
export async function configurationPage(page: string, file: string): Promise<string> {
  const [text = ''] = page.split(BEGIN);
  const keys = configKeys();
  const parts = [text.trimEnd(), BEGIN, contents()];
  for (const [title] of SECTIONS) {
    parts.push(`## ${title}`, ...keys.filter((key) => sectionOf(key.path) === title).map(entryOf));
  }
  return format(parts.join('\n\n'), { ...(await resolveConfig(file)), parser: 'markdown' });
}

function contents(): string {
  return SECTIONS.map(
    ([title]) =>
      `- [${title}](#${title
        .toLowerCase()
        .replaceAll(/[^a-z ]/g, '')
        .replaceAll(' ', '-')})`,
  ).join('\n');
}

function sectionOf(path: string): string {
  let best = { title: '', length: -1 };
  for (const [title, ...prefixes] of SECTIONS) {
    for (const prefix of prefixes) {
      const isInside =
        prefix === '' || prefix.endsWith('.') ? path.startsWith(prefix) : `${path}.`.startsWith(`${prefix}.`);
      if (isInside && prefix.length > best.length) best = { title, length: prefix.length };
    }
  }
  return best.title;
}

function entryOf(key: ConfigKey): string {
  const facts = [
    `Type: ${key.type}`,
    key.default === 'required' ? 'Required' : `Default: ${key.default}`,
    ...(key.layers.length === 1 ? [`Layer ${key.layers[0]} only`] : []),
    ...(key.engines === null || key.engines === 'every engine' ? [] : [`Engines: ${key.engines}`]),
    ...(key.environment === null ? [] : [`Environment: \`${key.environment}\``]),
    `Since: ${key.since}`,
  ];
  return [`### \`${key.path}\``, key.text, facts.map((fact) => `- ${fact}`).join('\n')].join('\n\n');
}
