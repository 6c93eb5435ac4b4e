/** Configurations in the documents: whole files, and fragments that a test completes. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { dump, load } from 'js-yaml';
import type { CertificateAuthority, IssuedCertificate } from '../certificates.ts';
import type { CodeBlock } from './blocks.ts';

type Mapping = Record<string, unknown>;

interface ListenerText extends Mapping {
  mode?: string;
  address?: string;
  name?: string;
  cluster?: string;
  to?: unknown;
  routes?: { cluster?: string }[];
  passthrough?: { cluster?: string }[];
}

interface ClusterText extends Mapping {
  name: string;
  endpoints?: unknown;
}

/** Whether a block is a configuration of sluice. Configurations of other programs name them in the info string. */
export function isConfiguration({ language, note }: CodeBlock): boolean {
  return /^(?:yaml|json)$/u.test(language) && note === '';
}

/** Whether a configuration has all that a start needs. */
export function isWhole({ code }: CodeBlock): boolean {
  const config = load(code) as Mapping;
  return config.listeners !== undefined && config.clusters !== undefined;
}

/** Returns a configuration with the listeners, routes, clusters and endpoints that a fragment leaves out. */
export function completed(code: string): string {
  const config = load(code) as Mapping & { listeners?: ListenerText[]; clusters?: ClusterText[] };
  const listeners = (config.listeners ??= [{}]);
  const clusters = (config.clusters ??= []);
  const fallback = clusters[0]?.name ?? 'app';
  const wanted = new Set<string>();
  for (const [index, listener] of listeners.entries()) {
    listener.mode ??= 'l7';
    listener.name ??= `web-${index}`;
    listener.address ??= `127.0.0.1:${8080 + index}`;
    if (listener.mode === 'l7') listener.routes ??= [{ match: {}, cluster: fallback } as { cluster: string }];
    else if (listener.passthrough === undefined && listener.to === undefined) listener.cluster ??= fallback;
    for (const { cluster } of [listener, ...(listener.routes ?? []), ...(listener.passthrough ?? [])])
      if (cluster !== undefined) wanted.add(cluster);
  }
  for (const name of wanted) if (!clusters.some((cluster) => cluster.name === name)) clusters.push({ name });
  if (clusters.length === 0) clusters.push({ name: fallback });
  for (const cluster of clusters) {
    cluster.endpoints ??= [{ address: '127.0.0.1:9001' }];
    if (!wanted.has(cluster.name))
      listeners.push({
        name: `to-${cluster.name}`,
        mode: 'l4',
        address: '127.0.0.1:0',
        cluster: cluster.name,
      });
  }
  return dump(config);
}

const FILE_KEYS = /^(?:cert|key|ca|crl|file|keys|keyFile|secretFile|root|[45]\d\d|[45]xx|default)$/u;
/** Keys that a path in place of a mapping sets. */
const SHORT: Readonly<Record<string, string>> = {
  basic: 'file',
  clientCertificates: 'ca',
  jwt: 'keys',
  static: 'root',
};
const KEY_SET = {
  kty: 'EC',
  crv: 'P-256',
  alg: 'ES256',
  kid: 'a',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
};

/** Makes the files that a configuration names by relative paths. */
export function makeFiles(code: string, folder: string, authority: CertificateAuthority): void {
  const issued = authority.issue('localhost', ['DNS:localhost', 'DNS:example.com', 'IP:127.0.0.1']);
  const make = (value: unknown, written: string): void => {
    const key = (typeof value === 'string' ? SHORT[written] : undefined) ?? written;
    // sluice itself makes its logs and its file of revocations.
    const isOwn = typeof value === 'string' && /\.log$|revocations/u.test(value);
    if (typeof value === 'string' && !isOwn && FILE_KEYS.test(key) && /^\.{0,2}\/?\w[\w./-]*$/u.test(value)) {
      const path = join(folder, value);
      mkdirSync(key === 'root' ? path : dirname(path), { recursive: true });
      if (key === 'root') writeFileSync(join(path, 'index.html'), '<!doctype html><title>sluice</title>\n');
      else writeFileSync(path, contentOf(value, key, authority, issued), { mode: 0o600 });
    } else if (value !== null && typeof value === 'object') {
      for (const [name, inner] of Object.entries(value)) make(inner, Array.isArray(value) ? key : name);
    }
  };
  make(load(code), '');
}

function contentOf(
  path: string,
  key: string,
  authority: CertificateAuthority,
  issued: IssuedCertificate,
): string | Buffer {
  if (key === 'cert') return readFileSync(issued.cert);
  if (key === 'key') return readFileSync(issued.key);
  if (key === 'ca') return authority.pem;
  if (path.includes('jwks')) return JSON.stringify({ keys: [KEY_SET] });
  if (path.includes('htpasswd'))
    return 'alice:$2y$04$abcdefghijklmnopqrstuuZ1Q0G9q1P3C0sJ9oS7mW0d3zU1u8q8S\n';
  if (path.includes('ticket')) return Buffer.alloc(80, 7);
  return 'a-secret-of-the-operator-for-the-test';
}
